// SPDX-License-Identifier: Apache-2.0
#include "common/credential.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/certificate.h"
#include "common/file.h"
#include "common/pki.h"
#include "tests/support/certificates.h"

namespace zcluster::tls {
namespace {

using testing::HasSubstr;

class CredentialTest : public testing::Test {
 protected:
  test::TempDirectory directory_;
  const std::string key_ = directory_.path() + "/node.key";
  const std::string certificate_ = directory_.path() + "/node.crt";
};

TEST_F(CredentialTest, IsMadeOnce) {
  const auto first = LoadCredential(directory_.path());
  const auto second = LoadCredential(directory_.path());
  ASSERT_TRUE(first.ok() && second.ok()) << first.status() << second.status();
  EXPECT_EQ(first->key, second->key);
  EXPECT_EQ(first->certificate, second->certificate);
  EXPECT_EQ(first->fingerprint, *pki::CertificateFingerprint(first->certificate));
  EXPECT_EQ(tls::CheckKey(first->certificate, first->key), absl::OkStatus());
}

TEST_F(CredentialTest, IsForItsOwnerAlone) {
  ASSERT_TRUE(LoadCredential(directory_.path()).ok());
  struct stat info;
  ASSERT_EQ(::stat(key_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(CredentialTest, KeepsItsKeyWhenTheCertificateIsLostOrAnothers) {
  const std::string fingerprint = LoadCredential(directory_.path())->fingerprint;
  ::unlink(certificate_.c_str());
  EXPECT_EQ(LoadCredential(directory_.path())->fingerprint, fingerprint);
  ASSERT_TRUE(WriteFileAtomically(certificate_, MakeCredential()->certificate, 0600).ok());
  const auto again = LoadCredential(directory_.path());
  EXPECT_EQ(*pki::CertificateFingerprint(again->certificate), fingerprint);
}

TEST_F(CredentialTest, NamesAFileThatIsNoKey) {
  ASSERT_TRUE(WriteFileAtomically(key_, "rubbish", 0600).ok());
  EXPECT_THAT(LoadCredential(directory_.path()).status().message(),
              HasSubstr(key_ + ": is no private key; remove it"));
}

TEST_F(CredentialTest, OfACallerIsNewEachTime) {
  EXPECT_NE(MakeCredential()->fingerprint, MakeCredential()->fingerprint);
}

}  // namespace
}  // namespace zcluster::tls
