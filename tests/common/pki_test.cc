// SPDX-License-Identifier: Apache-2.0
#include "common/pki.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/certificate.h"
#include "common/child.h"
#include "common/file.h"
#include "tests/support/certificates.h"

namespace zcluster::pki {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kUri[] = "zcluster://lab/node/a";
constexpr absl::Duration kDay = absl::Hours(24);

// What openssl, the program, answers to `arguments` about `input`.
std::string Openssl(std::vector<std::string> arguments, absl::string_view input) {
  arguments.insert(arguments.begin(), "/usr/bin/openssl");
  absl::StatusOr<UniqueFd> in = MakeMemoryFile(input);
  absl::StatusOr<UniqueFd> out = MakeMemoryFile();
  if (!in.ok() || !out.ok()) return "no memory file";
  absl::StatusOr<Child> child =
      Child::Start({.argv = arguments, .input = in->get(), .output = out->get()});
  if (!child.ok()) return child.status().ToString();
  absl::optional<ChildExit> end;
  for (int tries = 0; tries < 200 && !end; ++tries) {
    pollfd ended{child->pidfd().get(), POLLIN, 0};
    ::poll(&ended, 1, 100);
    end = child->Exit();
  }
  return end && end->ok() ? ReadMemoryFile(out->get())
                          : absl::StrCat("failed: ", ReadMemoryFile(out->get()));
}

// A request that we would not make: a key of any kind, with any extension.
struct Strange {
  EVP_PKEY* key;  // taken over
  int extension = 0;
  const char* value = "";
};
std::string StrangeRequest(const Strange& strange) {
  X509_REQ* request = X509_REQ_new();
  X509_REQ_set_pubkey(request, strange.key);
  if (strange.extension != 0) {
    X509_EXTENSIONS* all = nullptr;
    X509_EXTENSION* one = X509V3_EXT_conf_nid(nullptr, nullptr, strange.extension, strange.value);
    X509v3_add_ext(&all, one, -1);  // a copy
    X509_EXTENSION_free(one);
    X509_REQ_add_extensions(request, all);
    sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
  }
  const bool edwards = EVP_PKEY_get_base_id(strange.key) == EVP_PKEY_ED25519;
  EXPECT_GT(X509_REQ_sign(request, strange.key, edwards ? nullptr : EVP_sha256()), 0);
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_REQ(bio, request);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  X509_REQ_free(request);
  EVP_PKEY_free(strange.key);
  return pem;
}

// P-256, but by its parameters instead of its name.
EVP_PKEY* SpeltOutCurve() {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(context);
  EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1);
  EVP_PKEY_CTX_set_ec_param_enc(context, OPENSSL_EC_EXPLICIT_CURVE);
  EVP_PKEY_keygen(context, &key);
  EVP_PKEY_CTX_free(context);
  return key;
}

class PkiTest : public testing::Test {
 protected:
  PkiTest()
      : ca_key_(*MakeKey()),
        ca_(*MakeCa(ca_key_, "lab")),
        key_(*MakeKey()),
        request_(*MakeRequest(key_, kUri)) {}

  absl::StatusOr<std::string> SignIt(const std::string& request, Terms terms = {kUri, 90 * kDay}) {
    return Sign(request, ca_, ca_key_, terms);
  }
  absl::Status Check(const std::string& certificate, const std::string& ca,
                     tls::Use use = tls::Use::kServer) {
    return tls::CheckCertificate(
        {.certificate = certificate, .chain = {}, .ca = ca, .called = "it"}, use, kUri);
  }
  // What openssl verify says, in its strict mode.
  std::string Verify(const std::string& certificate, const std::string& ca,
                     const std::string& purpose) {
    const std::string file = directory_.path() + "/ca.crt";
    EXPECT_TRUE(WriteFileAtomically(file, ca, 0644).ok());
    return Openssl({"verify", "-x509_strict", "-purpose", purpose, "-CAfile", file}, certificate);
  }

  test::TempDirectory directory_;
  std::string ca_key_;
  std::string ca_;
  std::string key_;
  std::string request_;
};

TEST_F(PkiTest, ASignedCertificateIsGoodOnBothSidesOfTls) {
  const std::string certificate = *SignIt(request_);
  EXPECT_EQ(Check(certificate, ca_, tls::Use::kServer), absl::OkStatus());
  EXPECT_EQ(Check(certificate, ca_, tls::Use::kClient), absl::OkStatus());
  EXPECT_EQ(tls::CheckKey(certificate, key_), absl::OkStatus());
}

TEST_F(PkiTest, OpensslAgreesInItsStrictMode) {
  const std::string certificate = *SignIt(request_);
  EXPECT_THAT(Verify(certificate, ca_, "sslserver"), HasSubstr("stdin: OK"));
  EXPECT_THAT(Verify(certificate, ca_, "sslclient"), HasSubstr("stdin: OK"));
}

TEST_F(PkiTest, ACertificateSaysWhatItIsForAndNoMore) {
  const std::string text = Openssl({"x509", "-noout", "-text"}, *SignIt(request_));
  EXPECT_THAT(text, AllOf(HasSubstr("Version: 3"), HasSubstr("ecdsa-with-SHA256"),
                          HasSubstr("NIST CURVE: P-256"), HasSubstr("Issuer: CN = lab"),
                          HasSubstr("CA:FALSE"), HasSubstr("Digital Signature\n"),
                          HasSubstr("Server Authentication, TLS Web Client Authentication\n"),
                          HasSubstr("Subject Key Identifier"), HasSubstr("Authority Key Id")));
  EXPECT_THAT(text,
              HasSubstr("Alternative Name: critical\n                URI:zcluster://lab/node/a\n"));
}

TEST_F(PkiTest, ACaMaySignNodesAndNothingElse) {
  const std::string text = Openssl({"x509", "-noout", "-text"}, ca_);
  EXPECT_THAT(text, AllOf(HasSubstr("Basic Constraints: critical"), HasSubstr("CA:TRUE, pathlen:0"),
                          HasSubstr("Key Usage: critical"), HasSubstr("Certificate Sign\n"),
                          HasSubstr("Subject: CN = lab\n")));
  EXPECT_FALSE(Check(ca_, ca_).ok());
}

TEST_F(PkiTest, SerialNumbersDoNotRepeat) {
  std::set<std::string> serials;
  for (int i = 0; i < 20; ++i) {
    serials.insert(Openssl({"x509", "-noout", "-serial"}, *SignIt(request_)));
  }
  EXPECT_EQ(serials.size(), 20u);
  EXPECT_THAT(serials, Each(StartsWith("serial=")));
}

TEST_F(PkiTest, WhatTheRequestAsksForIsNotLookedAt) {
  const std::string names = *SignIt(*MakeRequest(key_, "zcluster://lab/node/evil"));
  EXPECT_EQ(Check(names, ca_), absl::OkStatus());
  EXPECT_THAT(Openssl({"x509", "-noout", "-text"}, names), Not(HasSubstr("evil")));
  const std::string authority = *SignIt(StrangeRequest(
      {.key = EVP_EC_gen("P-256"), .extension = NID_basic_constraints, .value = "CA:TRUE"}));
  EXPECT_THAT(Openssl({"x509", "-noout", "-text"}, authority), Not(HasSubstr("CA:TRUE")));
}

TEST_F(PkiTest, ARequestCarriesTheNameAsItsOnlyOne) {
  const std::string text = Openssl({"req", "-noout", "-text", "-verify"}, request_);
  EXPECT_THAT(text, HasSubstr("URI:zcluster://lab/node/a\n"));
  EXPECT_THAT(text, HasSubstr("verify OK"));
}

TEST_F(PkiTest, ARequestWhoseSignatureIsBadIsRefused) {
  std::string der = Openssl({"req", "-outform", "DER"}, request_);
  der.back() = static_cast<char>(der.back() ^ 1);
  const std::string forged = Openssl({"req", "-inform", "DER"}, der);
  ASSERT_THAT(forged, StartsWith("-----BEGIN"));
  const absl::Status status = SignIt(forged).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("not signed by the key"));
}

struct BadKind {
  std::string name;
  EVP_PKEY* (*make)();
};
class RefusesKind : public PkiTest, public testing::WithParamInterface<BadKind> {};

TEST_P(RefusesKind, InARequest) {
  const absl::Status status = SignIt(StrangeRequest({.key = GetParam().make()})).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("another kind than ECDSA on P-256"));
}

const BadKind kBadKinds[] = {
    {"Rsa", [] { return EVP_RSA_gen(2048); }},
    {"Ed25519", [] { return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"); }},
    {"AnotherCurve", [] { return EVP_EC_gen("P-384"); }},
    {"ACurveSpeltOut", SpeltOutCurve},
};
INSTANTIATE_TEST_SUITE_P(PkiTest, RefusesKind, testing::ValuesIn(kBadKinds),
                         [](const auto& kind) { return kind.param.name; });

TEST_F(PkiTest, BrokenInputIsRefusedWithAReason) {
  EXPECT_THAT(SignIt("not PEM").status().message(), HasSubstr("request is not readable PEM"));
  EXPECT_THAT(SignIt(std::string(70000, 'x')).status().message(), HasSubstr("more than 65536"));
  EXPECT_THAT(MakeRequest("not PEM", kUri).status().message(), HasSubstr("not a private key"));
  EXPECT_THAT(ValidityOf("").status().message(), HasSubstr("certificate is not readable PEM"));
  EXPECT_THAT(Sign(request_, ca_, key_, {kUri, kDay}).status().message(),
              HasSubstr("key does not belong"));
  const std::string leaf = *SignIt(request_);
  EXPECT_THAT(Sign(request_, leaf, key_, {kUri, kDay}).status().message(),
              HasSubstr("not one of a CA"));
}

TEST_F(PkiTest, NamesThatCouldMeanSomethingElseAreRefused) {
  for (const std::string& uri : {std::string(), std::string("a\nb"), std::string("a b"),
                                 std::string("a\0b", 3), std::string(256, 'a')}) {
    EXPECT_EQ(MakeRequest(key_, uri).status().code(), absl::StatusCode::kInvalidArgument) << uri;
    EXPECT_EQ(SignIt(request_, {uri, kDay}).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(MakeCa(ca_key_, "").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MakeCa(ca_key_, "a\nb").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MakeCa(ca_key_, std::string(65, 'a')).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(PkiTest, ANameIsTakenAsItIs) {
  const std::string uri = "zcluster://lab/node/a,DNS:evil,URI:zcluster://lab/node/b";
  const std::string certificate = *SignIt(request_, {uri, kDay});
  EXPECT_EQ(
      tls::CheckCertificate({.certificate = certificate, .chain = {}, .ca = ca_, .called = "it"},
                            tls::Use::kServer, uri),
      absl::OkStatus());
}

TEST_F(PkiTest, ItBeginsAnHourEarlierAndEndsAfterItsLifetime) {
  const absl::Time before = absl::Now() - absl::Seconds(1);
  const Validity validity = *ValidityOf(*SignIt(request_, {kUri, absl::Seconds(30)}));
  const absl::Time after = absl::Now();
  EXPECT_GE(validity.from, before - absl::Hours(1));
  EXPECT_LE(validity.from, after - absl::Hours(1));
  EXPECT_GE(validity.to, before + absl::Seconds(30));
  EXPECT_LE(validity.to, after + absl::Seconds(30));
}

TEST_F(PkiTest, ALifetimeOutOfReasonIsRefused) {
  EXPECT_EQ(SignIt(request_, {kUri, absl::ZeroDuration()}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(SignIt(request_, {kUri, absl::InfiniteDuration()}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(PkiTest, ACaLivesTenYears) {
  EXPECT_GT(ValidityOf(ca_)->to, absl::Now() + 3651 * kDay);
  EXPECT_LT(ValidityOf(ca_)->to, absl::Now() + 3653 * kDay);
}

TEST_F(PkiTest, WhatACaSignedStaysGoodWhenItIsRenewed) {
  const std::string old = test::Redated(ca_, ca_key_, -3650 * kDay, absl::Hours(2));
  const std::string certificate = *Sign(request_, old, ca_key_, {kUri, kDay});
  const std::string renewed = *RenewCa(ca_key_, old);
  EXPECT_GT(ValidityOf(renewed)->to, absl::Now() + 3651 * kDay);
  EXPECT_EQ(Check(certificate, renewed), absl::OkStatus());
  EXPECT_THAT(Verify(certificate, renewed, "sslserver"), HasSubstr("stdin: OK"));
  // And the other way round: the peer may not have renewed its own copy yet.
  EXPECT_EQ(Check(*Sign(request_, renewed, ca_key_, {kUri, kDay}), old), absl::OkStatus());
  EXPECT_NE(Openssl({"x509", "-noout", "-serial"}, renewed),
            Openssl({"x509", "-noout", "-serial"}, old));
}

TEST_F(PkiTest, AnExpiredCaCanBeRenewed) {
  const std::string old = test::Redated(ca_, ca_key_, -3650 * kDay, -kDay);
  const std::string certificate = *Sign(request_, old, ca_key_, {kUri, kDay});
  EXPECT_THAT(Check(certificate, old).message(), HasSubstr("expired"));
  EXPECT_EQ(Check(certificate, *RenewCa(ca_key_, old)), absl::OkStatus());
}

TEST_F(PkiTest, OnlyItsOwnKeyRenewsACa) {
  EXPECT_EQ(RenewCa(key_, ca_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PkiTest, ASelfSignedCertificateHasNoName) {
  const std::string certificate = *MakeSelfSigned(key_);
  EXPECT_EQ(tls::CheckKey(certificate, key_), absl::OkStatus());
  EXPECT_THAT(Check(certificate, certificate).message(), HasSubstr("names nobody"));
  EXPECT_THAT(Check(certificate, ca_).message(), HasSubstr("self-signed"));
}

TEST_F(PkiTest, KeyRequestAndCertificateHaveOneFingerprint) {
  const std::string fingerprint = *KeyFingerprint(key_);
  EXPECT_TRUE(IsFingerprint(fingerprint)) << fingerprint;
  EXPECT_EQ(*RequestFingerprint(request_), fingerprint);
  EXPECT_EQ(*CertificateFingerprint(*SignIt(request_)), fingerprint);
  EXPECT_EQ(*CertificateFingerprint(*MakeSelfSigned(key_)), fingerprint);
  EXPECT_NE(*KeyFingerprint(ca_key_), fingerprint);
}

TEST_F(PkiTest, TheFingerprintIsTheOneOfTheSubjectPublicKeyInfo) {
  const std::string der = Openssl({"pkey", "-pubout", "-outform", "DER"}, key_);
  std::string base64 = Openssl({"enc", "-base64"}, Openssl({"dgst", "-sha256", "-binary"}, der));
  base64 = absl::StrReplaceAll(base64, {{"=", ""}, {"\n", ""}});
  EXPECT_EQ(*KeyFingerprint(key_), absl::StrCat("SHA256:", base64));
}

TEST_F(PkiTest, OnlyAFingerprintLooksLikeOne) {
  const std::string good = *KeyFingerprint(key_);
  EXPECT_TRUE(IsFingerprint(good));
  EXPECT_FALSE(IsFingerprint(good + "="));
  EXPECT_FALSE(IsFingerprint(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(IsFingerprint(good.substr(7)));
  EXPECT_FALSE(IsFingerprint("MD5:" + good.substr(7)));
  EXPECT_FALSE(IsFingerprint("SHA256:" + std::string(43, '-')));
  EXPECT_FALSE(IsFingerprint(""));
}

TEST_F(PkiTest, AKeyIsPkcs8WithoutAPassword) {
  EXPECT_THAT(key_, StartsWith("-----BEGIN PRIVATE KEY-----\n"));
  EXPECT_NE(*MakeKey(), key_);
}

TEST_F(PkiTest, ASignedTextIsOfTheCertificatesKey) {
  const std::string certificate = *SignIt(request_);
  const std::string text("of any bytes\0 at all", 20);
  const std::string signature = *SignText(key_, text);
  EXPECT_EQ(VerifyText(certificate, text, signature), absl::OkStatus());
  EXPECT_NE(*SignText(key_, text), signature) << "signed with the same random number";
  EXPECT_EQ(VerifyText(certificate, "", *SignText(key_, "")), absl::OkStatus());
}

TEST_F(PkiTest, OnlyThatKeyAndThatTextHaveTheSignature) {
  const std::string certificate = *SignIt(request_);
  const std::string signature = *SignText(key_, "one text");
  const auto refused = [&](const std::string& text, const std::string& of) {
    return VerifyText(certificate, text, of).code() == absl::StatusCode::kPermissionDenied;
  };
  EXPECT_TRUE(refused("another text", signature));
  EXPECT_TRUE(refused("one text", *SignText(*MakeKey(), "one text")));
  EXPECT_TRUE(refused("one text", ""));
  EXPECT_TRUE(refused("one text", "not DER"));
  EXPECT_TRUE(refused("one text", signature + "x"));
  EXPECT_TRUE(refused("one text", signature.substr(0, signature.size() - 1)));
  EXPECT_TRUE(refused("one text", std::string(1 << 20, 'x')));
}

TEST_F(PkiTest, ASignatureNeedsAKeyAndACertificateOfOurKind) {
  EXPECT_EQ(SignText("not PEM", "text").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(VerifyText("not PEM", "text", "x").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(VerifyText(request_, "text", "x").code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PkiTest, NoErrorIsLeftForTheNextTlsConnectionOfTheThread) {
  ERR_clear_error();
  EXPECT_FALSE(SignIt("not PEM").ok());
  EXPECT_FALSE(KeyFingerprint("not PEM").ok());
  EXPECT_FALSE(Check("not PEM", ca_).ok());
  EXPECT_FALSE(VerifyText(ca_, "text", "not DER").ok());
  EXPECT_EQ(Check(*SignIt(request_), ca_), absl::OkStatus());
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_F(PkiTest, AWipedSecretIsGoneFromItsMemory) {
  std::string secret = "a long secret that was there before, longer than what came after it";
  const size_t size = secret.size();
  secret = "a shorter secret, in the same memory";
  const char* const memory = secret.data();
  Wipe(secret);
  EXPECT_TRUE(secret.empty());
  ASSERT_EQ(secret.data(), memory);
  EXPECT_EQ(absl::string_view(memory, size), absl::string_view(std::string(size, '\0')));
}

}  // namespace
}  // namespace zcluster::pki
