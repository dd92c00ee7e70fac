// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/message.h"

#include <gmock/gmock.h>
#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "zcluster/v1/bootstrap.pb.h"

namespace zcluster::bootstrap {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kSecret[] = "a secret that must not stay where it was";

v1::JoinRequest Request() {
  v1::JoinRequest request;
  request.mutable_install()->set_ca_key(kSecret);
  return request;
}

// In `pieces` of gRPC's own memory.
std::vector<grpc::Slice> Split(const std::string& text, size_t pieces) {
  std::vector<grpc::Slice> slices;
  const size_t size = text.size() / pieces + 1;
  for (size_t at = 0; at < text.size(); at += size) slices.emplace_back(text.substr(at, size));
  return slices;
}

std::string Text(const std::vector<grpc::Slice>& slices) {
  std::string text;
  for (const grpc::Slice& slice : slices)
    absl::StrAppend(&text,
                    absl::string_view(reinterpret_cast<const char*>(slice.begin()), slice.size()));
  return text;
}

TEST(Message, IsReadAsItWasSent) {
  const Received received(Seal(Request()));
  v1::JoinRequest request;
  ASSERT_TRUE(received.Parse(request));
  EXPECT_EQ(request.install().ca_key(), kSecret);
}

TEST(Message, IsReadFromPieces) {
  const std::vector<grpc::Slice> slices = Split(Request().SerializeAsString(), 3);
  const Received received(grpc::ByteBuffer(slices.data(), slices.size()));
  v1::JoinRequest request;
  ASSERT_TRUE(received.Parse(request));
  EXPECT_EQ(request.install().ca_key(), kSecret);
}

TEST(Message, IsOverwrittenWhereItLay) {
  const std::vector<grpc::Slice> slices = Split(Request().SerializeAsString(), 1);
  ASSERT_THAT(Text(slices), HasSubstr(kSecret));
  { const Received received(grpc::ByteBuffer(slices.data(), slices.size())); }
  EXPECT_THAT(Text(slices), Not(HasSubstr(kSecret)));
  EXPECT_EQ(Text(slices).find_first_not_of('\0'), std::string::npos);
}

TEST(Message, ThatIsNoneIsNotRead) {
  const grpc::Slice slice("\xff\xff\xff\xff");
  const Received received(grpc::ByteBuffer(&slice, 1));
  v1::JoinRequest request;
  EXPECT_FALSE(received.Parse(request));
}

}  // namespace
}  // namespace zcluster::bootstrap
