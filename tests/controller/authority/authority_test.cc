// SPDX-License-Identifier: Apache-2.0
#include "controller/authority/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "common/certificate.h"
#include "common/file.h"

namespace zcluster::controller {
namespace {

using testing::HasSubstr;

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest() {
    std::string name = testing::TempDir() + "/authority-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~AuthorityTest() override { std::filesystem::remove_all(directory_); }

  absl::StatusOr<std::unique_ptr<Authority>> Open(const std::string& fleet = "north",
                                                  const std::string& name = "ctl1",
                                                  absl::Duration lifetime = absl::Hours(1)) {
    return Authority::Open(loop_, {directory_ + "/tls", fleet, name, lifetime});
  }
  std::string Certificate(const Authority& authority) {
    return *ReadFile(authority.files().certificate, 1 << 16);
  }

  Loop loop_;
  std::string directory_;
};

TEST_F(AuthorityTest, MakesAFleetAtItsFirstStartAndKeepsIt) {
  std::string ca;
  std::string certificate;
  {
    const auto first = Open();
    ASSERT_TRUE(first.ok()) << first.status();
    ca = (*first)->Ca();
    certificate = Certificate(**first);
    EXPECT_TRUE(tls::CheckOwnFiles((*first)->files(), "zcluster://north/controller/ctl1").ok());
  }
  const auto again = Open();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->Ca(), ca);
  EXPECT_EQ(Certificate(**again), certificate);
}

TEST_F(AuthorityTest, SignsWhoMaySpeakWithIt) {
  const auto authority = Open();
  ASSERT_TRUE(authority.ok());
  const std::string key = *pki::MakeKey();
  const std::string uri = tls::AgentUri("north", "web", "lb1");
  const auto certificate = (*authority)->Sign(*pki::MakeRequest(key, uri), {uri, absl::Hours(1)});
  ASSERT_TRUE(certificate.ok()) << certificate.status();
  EXPECT_TRUE(tls::CheckCertificate({.certificate = *certificate,
                                     .chain = "",
                                     .ca = (*authority)->Ca(),
                                     .called = "the agent's certificate"},
                                    tls::Use::kClient, uri)
                  .ok());
  EXPECT_FALSE((*authority)->Sign("no request", {uri, absl::Hours(1)}).ok());
}

TEST_F(AuthorityTest, KeepsTheNameOfTheFleet) {
  ASSERT_TRUE(Open().ok());
  const auto other = Open("south");
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(std::string(other.status().message()), HasSubstr("name: is 'south', but"));
  EXPECT_TRUE(Open().ok()) << "it was left as it was";
}

TEST_F(AuthorityTest, GivesARenamedControllerAnotherCertificateOfTheSameFleet) {
  const std::string ca = (*Open())->Ca();
  const auto renamed = Open("north", "ctl2");
  ASSERT_TRUE(renamed.ok()) << renamed.status();
  EXPECT_EQ((*renamed)->Ca(), ca);
  EXPECT_TRUE(tls::CheckOwnFiles((*renamed)->files(), "zcluster://north/controller/ctl2").ok());
}

TEST_F(AuthorityTest, RenewsItsCertificateBeforeItEnds) {
  const auto authority = Open("north", "ctl1", absl::Seconds(3));
  ASSERT_TRUE(authority.ok());
  const std::string first = Certificate(**authority);
  bool renewed = false;
  // Only a broken one reaches the deadline.
  const auto late = loop_.After(absl::Seconds(30), [&] { loop_.Quit(); });
  const auto look = loop_.Every(absl::Milliseconds(50), [&] {
    renewed = Certificate(**authority) != first;
    if (renewed) loop_.Quit();
  });
  loop_.Run();
  EXPECT_TRUE(renewed);
  EXPECT_TRUE(tls::CheckOwnFiles((*authority)->files(), "zcluster://north/controller/ctl1").ok());
}

}  // namespace
}  // namespace zcluster::controller
