// SPDX-License-Identifier: Apache-2.0
#include "common/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/file.h"
#include "tests/support/certificates.h"

namespace zcluster::tls {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kUri[] = "zcluster://lab/node/a";

// Handshakes with each kind of bad certificate are in tls_test.cc; here is what no handshake brings
// about.
class CertificateTest : public testing::Test {
 protected:
  std::string Issue(const test::CertificateOptions& options) {
    files_ = authority_.Issue("a", options);
    return *ReadFile(files_.certificate);
  }
  absl::Status Check(absl::string_view certificate, absl::string_view ca) {
    return CheckCertificate({.certificate = certificate, .chain = "", .ca = ca, .called = "it"},
                            Use::kServer, kUri);
  }

  test::TempDirectory directory_;
  test::Authority authority_{directory_.path(), "lab"};
  tls::Files files_;
};

TEST_F(CertificateTest, NothingIsNotACertificate) {
  const std::string good = Issue({.uri = kUri});
  const std::string ca = *ReadFile(files_.ca);
  EXPECT_EQ(Check(good, ca), absl::OkStatus());
  EXPECT_THAT(Check("", ca).message(), HasSubstr("it is not readable PEM"));
  EXPECT_THAT(Check("garbage", ca).message(), HasSubstr("it is not readable PEM"));
  EXPECT_THAT(Check(good, "").message(), HasSubstr("holds no certificate"));
}

TEST_F(CertificateTest, WhatAStrangerChoseIsPrintableAndShort) {
  const std::string long_name = "zcluster://\x1b[2J/" + std::string(500, 'x');
  const std::string certificate = Issue({.uri = long_name});
  const absl::Status status = Check(certificate, *ReadFile(files_.ca));
  EXPECT_THAT(status.message(), HasSubstr("it is for zcluster://?[2J/xxx"));
  EXPECT_THAT(status.message(), Not(HasSubstr("\x1b")));
  EXPECT_LT(status.message().size(), 250u);
}

TEST_F(CertificateTest, IdentifySaysWhoItIs) {
  const std::string certificate = Issue({.uri = "zcluster://lab/operator/anna"});
  const std::string ca = *ReadFile(files_.ca);
  const Candidate candidate{.certificate = certificate, .chain = "", .ca = ca, .called = "it"};
  EXPECT_EQ(Identify(candidate, Use::kClient, "an operator")->uri, "zcluster://lab/operator/anna");
}

TEST_F(CertificateTest, IdentifySaysWhomItHopedFor) {
  const std::string nameless = Issue({});
  const std::string ca = *ReadFile(files_.ca);
  const Candidate candidate{.certificate = nameless, .chain = "", .ca = ca, .called = "it"};
  EXPECT_THAT(std::string(Identify(candidate, Use::kClient, "an operator").status().message()),
              HasSubstr("it names nobody (no URI in its subject alternative name), expected an "
                        "operator"));
}

TEST_F(CertificateTest, UriOfIsItsOnlyName) {
  EXPECT_EQ(*UriOf(Issue({.uri = kUri})), kUri);
  EXPECT_FALSE(UriOf(Issue({})).ok());
  EXPECT_FALSE(UriOf(Issue({.uri = kUri, .second_uri = "zcluster://lab/node/b"})).ok());
  EXPECT_FALSE(UriOf("garbage").ok());
}

TEST_F(CertificateTest, IsOfAKindThatKeepsTls12OutOrIsRefused) {
  EXPECT_EQ(CheckKind("it", Issue({.self_signed = true})), absl::OkStatus());
  EXPECT_THAT(CheckKind("it", Issue({.kind = test::KeyKind::kRsa})).message(),
              HasSubstr("it has a key of a kind that is not allowed"));
  EXPECT_THAT(CheckKind("it", "").message(), HasSubstr("it is not readable PEM"));
}

TEST_F(CertificateTest, AKeyBelongsToItsCertificateOnly) {
  const std::string first = Issue({.uri = kUri});
  const std::string key = *ReadFile(files_.key);
  EXPECT_EQ(CheckKey(first, key), absl::OkStatus());
  const std::string second = Issue({.uri = kUri});
  EXPECT_THAT(CheckKey(second, key).message(), HasSubstr("does not belong"));
  EXPECT_THAT(CheckKey(second, "garbage").message(), HasSubstr("not a private key"));
}

}  // namespace
}  // namespace zcluster::tls
