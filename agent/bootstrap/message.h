// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/byte_buffer.h>

namespace google::protobuf {
class MessageLite;
}  // namespace google::protobuf

// Messages as bytes that are wiped when they were carried: some hold a password, or the key of a
// pair's CA.
namespace zcluster::bootstrap {

// `message` as bytes, which are overwritten when gRPC is done with them.
grpc::ByteBuffer Seal(const google::protobuf::MessageLite& message);

// Bytes that came in. Overwritten where they lie when this goes: that is gRPC's own buffer, which
// nobody reads again.
class Received {
 public:
  explicit Received(grpc::ByteBuffer bytes) : bytes_(std::move(bytes)) {}
  ~Received();
  Received(const Received&) = delete;
  Received& operator=(const Received&) = delete;

  // False if they are no such message.
  bool Parse(google::protobuf::MessageLite& message) const;

 private:
  grpc::ByteBuffer bytes_;
};

}  // namespace zcluster::bootstrap
