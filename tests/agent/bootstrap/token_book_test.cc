// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/token_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/file.h"
#include "tests/support/certificates.h"

namespace zcluster::bootstrap {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr absl::Duration kLife = absl::Minutes(15);
const token::Session kSession{.maker = "SHA256:node", .caller = "SHA256:caller"};

class TokenBookTest : public testing::Test {
 protected:
  TokenBook Open() { return *TokenBook::Open(path_); }
  std::string Make(TokenBook& book) { return *book.Make(kLife, now_); }
  std::string Proof(const std::string& secret) {
    return token::ProofOf(token::Kind::kJoin, token::HashOf(secret), kSession);
  }
  // Through a book that is opened anew: all that counts is on the disk.
  absl::Status Use(const std::string& secret) {
    TokenBook book = Open();
    return book.Use(Proof(secret), kSession, now_);
  }
  std::string Refusal(const std::string& secret) {
    const absl::Status status = Use(secret);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
    return std::string(status.message());
  }

  test::TempDirectory directory_;
  const std::string path_ = directory_.path() + "/token";
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(TokenBookTest, LetsInOnce) {
  TokenBook book = Open();
  const std::string secret = Make(book);
  EXPECT_EQ(Use(secret), absl::OkStatus());
  EXPECT_THAT(Refusal(secret), HasSubstr("used already"));
}

TEST_F(TokenBookTest, NamesAnExpiredOne) {
  TokenBook book = Open();
  const std::string secret = Make(book);
  now_ += kLife;
  EXPECT_THAT(Refusal(secret), HasSubstr("has expired"));
  EXPECT_THAT(Refusal(secret), HasSubstr("has expired"));
}

TEST_F(TokenBookTest, LetsInUntilTheLastMoment) {
  TokenBook book = Open();
  const std::string secret = Make(book);
  now_ += kLife - absl::Seconds(1);
  EXPECT_EQ(Use(secret), absl::OkStatus());
}

TEST_F(TokenBookTest, SaysThatNoneWasMade) {
  EXPECT_THAT(Refusal("a secret from nowhere"), HasSubstr("has no token now"));
}

TEST_F(TokenBookTest, NamesOneThatWasReplaced) {
  TokenBook book = Open();
  const std::string first = Make(book);
  const std::string second = Make(book);
  EXPECT_THAT(Refusal(first), HasSubstr("replaced by a newer one"));
  EXPECT_EQ(Use(second), absl::OkStatus());
}

TEST_F(TokenBookTest, EndsATokenAtTheFifthWrongTry) {
  TokenBook book = Open();
  const std::string secret = Make(book);
  for (int i = 0; i < 4; ++i) EXPECT_THAT(Refusal("a wrong one"), HasSubstr("is wrong (")) << i;
  EXPECT_THAT(Refusal("a wrong one"), HasSubstr("the fifth wrong try"));
  EXPECT_THAT(Refusal(secret), HasSubstr("ended by five wrong tries"));
}

TEST_F(TokenBookTest, LetsInAfterFourWrongTries) {
  TokenBook book = Open();
  const std::string secret = Make(book);
  for (int i = 0; i < 4; ++i) EXPECT_THAT(Refusal("a wrong one"), HasSubstr("is wrong"));
  EXPECT_EQ(Use(secret), absl::OkStatus());
}

TEST_F(TokenBookTest, CountsAnewForANewToken) {
  TokenBook book = Open();
  Make(book);
  for (int i = 0; i < 4; ++i) Refusal("a wrong one");
  TokenBook later = Open();
  const std::string secret = Make(later);
  Refusal("a wrong one");
  EXPECT_EQ(Use(secret), absl::OkStatus());
}

TEST_F(TokenBookTest, TellsAStrangerNothingOfATokenThatEnded) {
  TokenBook book = Open();
  EXPECT_EQ(Use(Make(book)), absl::OkStatus());
  EXPECT_THAT(Refusal("a wrong one"), Not(HasSubstr("used")));
}

TEST_F(TokenBookTest, AnEarlierTokenIsNoWrongTryAgainstTheNewOne) {
  TokenBook book = Open();
  const std::string first = Make(book);
  const std::string second = Make(book);
  for (int i = 0; i < 9; ++i) EXPECT_THAT(Refusal(first), HasSubstr("replaced"));
  EXPECT_EQ(Use(second), absl::OkStatus());
}

TEST_F(TokenBookTest, ForgetsAnEndedOneAfterADay) {
  TokenBook book = Open();
  const std::string secret = Make(book);
  EXPECT_EQ(Use(secret), absl::OkStatus());
  now_ += absl::Hours(25);
  EXPECT_THAT(Refusal(secret), HasSubstr("has no token now"));
}

TEST_F(TokenBookTest, RefusesAProofForAnotherSession) {
  TokenBook book = Open();
  const std::string proof = token::ProofOf(token::Kind::kJoin, token::HashOf(Make(book)),
                                           {"SHA256:another", kSession.caller});
  EXPECT_THAT(book.Use(proof, kSession, now_).message(), HasSubstr("is wrong"));
}

TEST_F(TokenBookTest, KeepsNoSecretOnTheDiskAndItsFileFromOthers) {
  TokenBook book = Open();
  const std::string secret = Make(book);
  EXPECT_THAT(*ReadFile(path_), Not(HasSubstr(secret)));
  struct stat info;
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(TokenBookTest, LetsNobodyInThatItCannotNote) {
  TokenBook book = Open();
  const std::string proof = Proof(Make(book));
  std::filesystem::remove_all(directory_.path());
  EXPECT_THAT(book.Use(proof, kSession, now_).message(), HasSubstr(path_));
  EXPECT_FALSE(book.Use(proof, kSession, now_).ok());
}

TEST_F(TokenBookTest, NamesAFileThatIsNotIts) {
  for (const char* text : {"rubbish\n", "live ab 1 1\n", "ended 00 1 used\n", "live\n"}) {
    ASSERT_TRUE(WriteFileAtomically(path_, text, 0600).ok());
    const auto book = TokenBook::Open(path_);
    EXPECT_EQ(book.status().code(), absl::StatusCode::kFailedPrecondition) << text;
    EXPECT_THAT(book.status().message(), HasSubstr(path_ + ": is damaged; remove it"));
  }
}

}  // namespace
}  // namespace zcluster::bootstrap
