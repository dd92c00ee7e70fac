// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/message.h"

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/slice.h>
#include <openssl/crypto.h>

#include <vector>

#include "agent/bootstrap/secret.h"
#include "common/check.h"

namespace zcluster::bootstrap {
namespace {

void Overwrite(const grpc::Slice& slice) {
  // The bytes are on the heap and this is the last that knows of them: const is gRPC's courtesy.
  OPENSSL_cleanse(const_cast<uint8_t*>(slice.begin()), slice.size());
}

}  // namespace

grpc::ByteBuffer Seal(const google::protobuf::MessageLite& message) {
  // Made at its size: a string that grows leaves its shorter copies behind.
  Secret text(new std::string(message.ByteSizeLong(), '\0'));
  ZC_CHECK(message.SerializeToArray(text->data(), static_cast<int>(text->size())));
  std::string* bytes = text.release();
  const grpc::Slice slice(
      bytes->data(), bytes->size(),
      [](void* owned) { WipeAndDelete()(static_cast<std::string*>(owned)); }, bytes);
  return grpc::ByteBuffer(&slice, 1);
}

Received::~Received() {
  std::vector<grpc::Slice> slices;
  if (!bytes_.Dump(&slices).ok()) return;
  for (const grpc::Slice& slice : slices) Overwrite(slice);
}

bool Received::Parse(google::protobuf::MessageLite& message) const {
  grpc::Slice whole;
  if (!bytes_.TrySingleSlice(&whole).ok()) {
    // More than one piece: this makes a copy, which is ours to overwrite.
    if (!bytes_.DumpToSingleSlice(&whole).ok()) return false;
    const bool parsed = message.ParseFromArray(whole.begin(), static_cast<int>(whole.size()));
    Overwrite(whole);
    return parsed;
  }
  return message.ParseFromArray(whole.begin(), static_cast<int>(whole.size()));
}

}  // namespace zcluster::bootstrap
