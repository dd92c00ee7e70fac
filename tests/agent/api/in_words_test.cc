// SPDX-License-Identifier: Apache-2.0
#include "agent/api/in_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace zcluster::api {
namespace {

using testing::HasSubstr;
using testing::Not;

// Sets every text and byte field of a message, those in messages within too, to a word of its name.
void Fill(google::protobuf::Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type.field(i);
    const std::string word = absl::StrCat("the-", field.name());
    if (field.cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!field.is_repeated()) Fill(*reflection.MutableMessage(&message, &field));
    } else if (field.cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
      field.is_repeated() ? reflection.AddString(&message, &field, word)
                          : reflection.SetString(&message, &field, word);
    }
  }
}

TEST(InWords, ACreateIsToldWithoutItsPassword) {
  v1::CreateRequest request;
  Fill(request);
  request.set_password("the-secret");
  const std::string words = InWords(request);
  EXPECT_THAT(words, HasSubstr("local_ip=the-local_ip remote_ip=the-remote_ip"));
  EXPECT_THAT(words, HasSubstr("admission=password"));
  EXPECT_THAT(words, Not(HasSubstr("the-secret")));
}

TEST(InWords, ACreateIsToldWithoutItsToken) {
  v1::CreateRequest request;
  Fill(request);
  request.set_token("the-secret");
  EXPECT_THAT(InWords(request), HasSubstr("admission=token"));
  EXPECT_THAT(InWords(request), Not(HasSubstr("the-secret")));
}

TEST(InWords, OfADocumentOnlyItsSizeIsTold) {
  v1::ApplyRequest request;
  Fill(request);
  request.mutable_change()->set_failback(v1::FAILBACK_KEEP);
  request.mutable_change()->mutable_check_interval()->set_nanos(200'000'000);
  request.set_generation(7);
  EXPECT_EQ(InWords(request),
            "document=12_bytes check_interval=200ms failback=FAILBACK_KEEP "
            "preferred=the-preferred add_vips=the-add_vips remove_vips=the-remove_vips "
            "generation=7");
}

TEST(InWords, AnOperatorIsToldWithoutTheRequest) {
  v1::AddOperatorRequest request;
  Fill(request);
  request.set_role(v1::RIGHT_VIEWER);
  EXPECT_EQ(InWords(request), "name=the-name role=RIGHT_VIEWER");
}

TEST(InWords, NothingIsSaidOfWhatWasNotAsked) {
  EXPECT_EQ(InWords(v1::CreateRequest()), "");
  EXPECT_EQ(InWords(v1::UnconfigureRequest()), "");
  EXPECT_EQ(InWords(v1::TokenRequest()), "");
  EXPECT_EQ(InWords(false), "");
}

}  // namespace
}  // namespace zcluster::api
