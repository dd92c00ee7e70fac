// SPDX-License-Identifier: Apache-2.0
#include "common/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/pki.h"

namespace zcluster::token {
namespace {

using testing::HasSubstr;
using testing::Not;

class TokenTest : public testing::Test {
 protected:
  const std::string fingerprint_ = *pki::KeyFingerprint(*pki::MakeKey());
  const std::string secret_ = std::string("\0\xff-secret of 20 byte", kSecretBytes);
  const std::string token_ = Format(Kind::kJoin, fingerprint_, secret_);
};

TEST_F(TokenTest, CarriesTheFingerprintAndTheSecret) {
  const auto token = Parse(Kind::kJoin, token_);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->fingerprint, fingerprint_);
  EXPECT_EQ(token->secret, secret_);
}

TEST_F(TokenTest, IsOneWordThatAShellLeavesAlone) {
  EXPECT_EQ(
      token_.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."),
      std::string::npos)
      << token_;
}

TEST_F(TokenTest, MayBeCopiedWithTheEndOfItsLine) {
  EXPECT_TRUE(Parse(Kind::kJoin, absl::StrCat(" ", token_, "\r\n")).ok());
}

TEST_F(TokenTest, IsKnownToBeMistypedAtAnyOfItsCharacters) {
  for (size_t i = 0; i < token_.size(); ++i) {
    std::string mistyped = token_;
    mistyped[i] = mistyped[i] == 'x' ? 'y' : 'x';
    const auto token = Parse(Kind::kJoin, mistyped);
    // The last character of each part has bits that mean nothing.
    if (token.ok()) {
      EXPECT_EQ(Format(Kind::kJoin, token->fingerprint, token->secret), token_) << i;
      continue;
    }
    EXPECT_EQ(token.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(token.status().message(), HasSubstr("mistyped?"));
  }
}

TEST_F(TokenTest, IsNotRepeatedInAnError) {
  const std::string mistyped = token_.substr(0, token_.size() - 1);
  EXPECT_THAT(Parse(Kind::kJoin, mistyped).status().message(),
              Not(HasSubstr(mistyped.substr(10, 8))));
}

TEST_F(TokenTest, IsNotAnythingElse) {
  for (const std::string& text : {std::string(), std::string("zc1."), std::string("zc1.."),
                                  std::string("zc2") + token_.substr(3), token_ + "." + token_,
                                  fingerprint_, std::string(1 << 20, 'a')}) {
    EXPECT_FALSE(Parse(Kind::kJoin, text).ok()) << text.substr(0, 80);
  }
}

TEST_F(TokenTest, IsOfOneKindOnly) {
  EXPECT_FALSE(Parse(Kind::kEnrolment, token_).ok());
  const std::string other = Format(Kind::kEnrolment, fingerprint_, secret_);
  EXPECT_TRUE(Parse(Kind::kEnrolment, other).ok());
  EXPECT_FALSE(Parse(Kind::kJoin, other).ok());
  EXPECT_THAT(Parse(Kind::kEnrolment, token_).status().message(), HasSubstr("zctl fleet token"));
}

TEST_F(TokenTest, HasAProofForOneSessionOnly) {
  const std::string hash = HashOf(secret_);
  const std::string other = *pki::KeyFingerprint(*pki::MakeKey());
  const std::string proof = ProofOf(Kind::kJoin, hash, {fingerprint_, other});
  EXPECT_TRUE(SameProof(proof, ProofOf(Kind::kJoin, hash, {fingerprint_, other})));
  EXPECT_FALSE(SameProof(proof, ProofOf(Kind::kJoin, hash, {other, fingerprint_})));
  EXPECT_FALSE(SameProof(proof, ProofOf(Kind::kJoin, hash, {fingerprint_, fingerprint_})));
  EXPECT_FALSE(SameProof(proof, ProofOf(Kind::kJoin, hash, {other, other})));
  EXPECT_FALSE(
      SameProof(proof, ProofOf(Kind::kJoin, HashOf("another secret"), {fingerprint_, other})));
  EXPECT_FALSE(SameProof(proof, ""));
  EXPECT_FALSE(SameProof(proof, ProofOf(Kind::kEnrolment, hash, {fingerprint_, other})));
}

TEST(Token, AMemberSignsForThisSessionAndNothingElse) {
  EXPECT_EQ(MemberText("proof"), "zcluster member 1\nproof");
}

}  // namespace
}  // namespace zcluster::token
