// SPDX-License-Identifier: Apache-2.0
#include "ctl/remote/credential.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/file.h"
#include "tests/support/certificates.h"

namespace zcluster::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Credential Example() {
  return {.pair = "main",
          .name = "anna",
          .addresses = {"192.0.2.1:7702", "[2001:db8::2]:7702"},
          .certificate = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n",
          .key = "-----BEGIN PRIVATE KEY-----\nYg==\n-----END PRIVATE KEY-----\n",
          .ca = "-----BEGIN CERTIFICATE-----\nYw==\n-----END CERTIFICATE-----\n"};
}

TEST(Credential, ReadsWhatItWrites) {
  const auto read = ParseCredential("f", CredentialText(Example()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->pair, "main");
  EXPECT_EQ(read->name, "anna");
  EXPECT_THAT(read->addresses, ElementsAre("192.0.2.1:7702", "[2001:db8::2]:7702"));
  EXPECT_EQ(read->certificate, Example().certificate);
  EXPECT_EQ(read->key, Example().key);
  EXPECT_EQ(read->ca, Example().ca);
}

TEST(Credential, IsReadable) {
  EXPECT_THAT(CredentialText(Example()),
              HasSubstr("pair: main\noperator: anna\naddresses:\n  - \"192.0.2.1:7702\"\n"));
  EXPECT_THAT(CredentialText(Example()), HasSubstr("key: |\n  -----BEGIN PRIVATE KEY-----\n  Yg"));
}

struct Wrong {
  const char* text;
  const char* message;
};

class CredentialRefuses : public testing::TestWithParam<Wrong> {};

TEST_P(CredentialRefuses, NamingTheLine) {
  const auto read = ParseCredential("anna.zctl", GetParam().text);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(read.status().message()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, CredentialRefuses,
    testing::Values(Wrong{"", "anna.zctl:1: not a credential"}, Wrong{"- a", "not a credential"},
                    Wrong{"pair: [", "is not YAML"},
                    Wrong{"pair: main\nkye: x\n", "anna.zctl:2: unknown key; expected pair, "},
                    Wrong{"pair: main\n", "ca: is missing"},
                    Wrong{"pair: {a: b}\n", "pair: expected a text"},
                    Wrong{"pair: main\naddresses: x\n", "addresses: expected a list"},
                    Wrong{"pair: main\naddresses: []\n", "addresses: expected a list"},
                    Wrong{"pair: main\naddresses:\n  - a:1\n  - lb1\n",
                          "anna.zctl:4: addresses: 'lb1' is not HOST:PORT"}));

TEST(Credential, AnAddressHasAPort) {
  for (const char* good : {"192.0.2.1:7702", "lb1.example:1", "[2001:db8::1]:65535"}) {
    EXPECT_TRUE(CheckAddress(good).ok()) << good;
  }
  for (const char* bad : {"", "lb1", ":7702", "lb1:", "lb1:0", "lb1:65536", "lb1:x",
                          "2001:db8::1:7702", "unix:/run/x:1"}) {
    EXPECT_FALSE(CheckAddress(bad).ok()) << bad;
  }
}

class CheckedCredential : public testing::Test {
 protected:
  Credential Issue(const test::CertificateOptions& options) {
    const tls::Files files = authority_.Issue("operator", options);
    return {.pair = "main",
            .name = "anna",
            .addresses = {"127.0.0.1:1"},
            .certificate = *ReadFile(files.certificate),
            .key = *ReadFile(files.key),
            .ca = *ReadFile(files.ca)};
  }
  test::TempDirectory directory_;
  test::Authority authority_{directory_.path(), "pair"};
};

TEST_F(CheckedCredential, IsGood) {
  EXPECT_EQ(CheckCredential(Issue({.uri = "zcluster://main/operator/anna"})), absl::OkStatus());
}

TEST_F(CheckedCredential, SaysThatItHasExpired) {
  const absl::Status status = CheckCredential(
      Issue({.uri = "zcluster://main/operator/anna", .valid_to = -absl::Minutes(1)}));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the credential's certificate expired"));
}

TEST_F(CheckedCredential, SaysThatItIsForAnother) {
  const absl::Status status = CheckCredential(Issue({.uri = "zcluster://other/operator/anna"}));
  EXPECT_THAT(std::string(status.message()), HasSubstr("zcluster://other/operator/anna"));
}

TEST_F(CheckedCredential, SaysThatTheKeyIsNotIts) {
  Credential credential = Issue({.uri = "zcluster://main/operator/anna"});
  credential.key = Issue({.uri = "zcluster://main/operator/anna"}).key;
  EXPECT_THAT(std::string(CheckCredential(credential).message()),
              HasSubstr("the credential's key: does not belong"));
}

}  // namespace
}  // namespace zcluster::ctl
