// SPDX-License-Identifier: Apache-2.0
#include "common/access/grpc_status.h"

#include <string>

namespace zcluster::access {
namespace {

// What is not ASCII is percent-encoded on the wire and takes three times its size; this stays below
// 8 KiB even then.
constexpr size_t kMaxMessage = 2048;

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string message(status.message());
  if (message.size() > kMaxMessage) {
    size_t end = kMaxMessage;
    while (end > 0 && IsContinuation(message[end])) --end;
    message.resize(end);
    message += "...";
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message);
}

}  // namespace zcluster::access
