// SPDX-License-Identifier: Apache-2.0
#include "controller/enrolment/proof.h"

#include <gmock/gmock.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/file.h"
#include "common/openssl.h"
#include "common/tls.h"
#include "tests/controller/enrolment/office.h"
#include "tests/support/certificates.h"

namespace zcluster::controller {
namespace {

using ::testing::HasSubstr;

// What an honest node says, with all the keys to say it otherwise.
struct Case {
  TestPair pair{"web-1"};
  TestPair::Member member = pair.Issue("lb1");
  std::string key = *pki::MakeKey();
  std::string caller = *pki::KeyFingerprint(key);
  v1::EnrolRequest request;

  Case() {
    request.set_token_proof(std::string(32, 'p'));
    request.set_request(*pki::MakeRequest(key, "zcluster://x"));
    request.set_pair("web-1");
    request.set_node("lb1");
    request.set_pair_ca(pair.ca);
    request.set_pair_certificate(member.certificate);
    request.set_version("1.0");
    Sign(member.key);
  }
  void Sign(const std::string& with) {
    request.set_pair_signature(*pki::SignText(with, token::MemberText(request.token_proof())));
  }
  void Show(const TestPair::Member& other) {
    request.set_pair_certificate(other.certificate);
    Sign(other.key);
  }
};

TEST(CheckMember, KnowsAMemberByThePairsCa) {
  const Case honest;
  ASSERT_TRUE(CheckShape(honest.request).ok()) << CheckShape(honest.request);
  const auto ca_key = CheckMember(honest.request, honest.caller);
  ASSERT_TRUE(ca_key.ok()) << ca_key.status();
  EXPECT_EQ(*ca_key, *pki::CertificateFingerprint(honest.pair.ca));
}

struct Lie {
  std::string name;
  std::function<void(Case&)> tell;
  absl::StatusCode code;
  std::string says;
};

class RefusesAMember : public ::testing::TestWithParam<Lie> {};

TEST_P(RefusesAMember, ThatLies) {
  Case lie;
  GetParam().tell(lie);
  const absl::Status status = CheckMember(lie.request, lie.caller).status();
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
}

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::StatusCode kDenied = absl::StatusCode::kPermissionDenied;

// A certificate for `key` that a mere member of a pair has signed, as if it were a CA.
std::string SignedBy(const TestPair::Member& issuer, const std::string& key) {
  const TestPair pair("web-1");
  const std::string uri = tls::NodeUri("web-1", "lb1");
  const std::string made =
      *pki::Sign(*pki::MakeRequest(key, uri), pair.ca, pair.key, {uri, absl::Hours(1)});
  const openssl::X509Ptr certificate = std::move(openssl::ParseCertificates(made).front());
  const openssl::X509Ptr by = std::move(openssl::ParseCertificates(issuer.certificate).front());
  const openssl::KeyPtr with = openssl::ParseKey(issuer.key);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(by.get()));
  // It names the key of another issuer.
  const int at = X509_get_ext_by_NID(certificate.get(), NID_authority_key_identifier, -1);
  X509_EXTENSION_free(X509_delete_ext(certificate.get(), at));
  ZC_CHECK(X509_sign(certificate.get(), with.get(), EVP_sha256()) > 0);
  const openssl::BioPtr bio(BIO_new(BIO_s_mem()));
  ZC_CHECK(PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

INSTANTIATE_TEST_SUITE_P(
    Enrolment, RefusesAMember,
    ::testing::Values(
        Lie{"RequestForAnotherKey",
            [](Case& c) { c.request.set_request(*pki::MakeRequest(*pki::MakeKey(), "x:y")); },
            kInvalid, "another key than this connection"},
        Lie{"RequestThatIsNone", [](Case& c) { c.request.set_request("PEM"); }, kInvalid,
            "request: "},
        Lie{"SessionOfAnotherKey",
            [](Case& c) { c.caller = *pki::KeyFingerprint(*pki::MakeKey()); }, kInvalid,
            "another key"},
        Lie{"CaOfAnotherPair", [](Case& c) { c.request.set_pair_ca(TestPair("web-1").ca); },
            kDenied, "not signed by the pair's CA"},
        // The victim's CA is public: it comes first, and the liar's own behind it.
        Lie{"TwoCas",
            [](Case& c) {
              const TestPair own("web-1");
              c.request.set_pair_ca(absl::StrCat(c.pair.ca, own.ca));
              c.Show(own.Issue("lb1"));
            },
            kInvalid, "pair_ca: must hold one certificate"},
        Lie{"TwoCertificates",
            [](Case& c) {
              const TestPair own("web-1");
              c.request.set_pair_certificate(
                  absl::StrCat(c.member.certificate, own.Issue("lb1").certificate));
            },
            kInvalid, "pair_certificate: must hold one certificate"},
        Lie{"AnotherNode", [](Case& c) { c.Show(c.pair.Issue("lb2")); }, kDenied,
            "is for zcluster://web-1/node/lb2"},
        Lie{"AnotherPair",
            [](Case& c) {
              const TestPair other("web-2");
              c.request.set_pair_ca(other.ca);
              c.Show(other.Issue("lb1"));
            },
            kDenied, "is for zcluster://web-2/node/lb1"},
        Lie{"ACopiedCertificate", [](Case& c) { c.Sign(*pki::MakeKey()); }, kDenied,
            "does not prove"},
        Lie{"ASignatureOfAnotherProof",
            [](Case& c) { c.request.set_token_proof(std::string(32, 'q')); }, kDenied,
            "does not prove"},
        Lie{"NoSignature", [](Case& c) { c.request.clear_pair_signature(); }, kDenied,
            "does not prove"},
        Lie{"SelfSigned", [](Case& c) { c.request.set_pair_ca(c.member.certificate); }, kDenied,
            "does not prove"},
        Lie{"Expired",
            [](Case& c) {
              const std::string old =
                  test::Redated(c.member.certificate, c.pair.key, -absl::Hours(2), -absl::Hours(1));
              c.request.set_pair_certificate(old);
            },
            kDenied, "expired on"},
        Lie{"TheCaItself",
            [](Case& c) {
              c.request.set_pair_certificate(c.pair.ca);
              c.Sign(c.pair.key);
            },
            kDenied, "does not prove"},
        Lie{"ItsOwnCa",
            [](Case& c) {
              const test::TempDirectory directory;
              const tls::Files files =
                  test::Authority(directory.path(), "x")
                      .Issue("own", {.uri = tls::NodeUri("web-1", "lb1"), .self_signed = true});
              const std::string own = *ReadFile(files.certificate, 1 << 16);
              c.request.set_pair_ca(own);
              c.Show({*ReadFile(files.key, 1 << 16), own});
            },
            kDenied, "does not prove"},
        // A member of a pair is no CA, although the pair's CA has signed it.
        Lie{"SignedByAMember",
            [](Case& c) {
              TestPair::Member own;
              own.key = *pki::MakeKey();
              own.certificate = SignedBy(c.member, own.key);
              c.request.set_pair_ca(c.member.certificate);
              c.Show(own);
            },
            kDenied, "does not prove"},
        Lie{"CaThatIsNone", [](Case& c) { c.request.set_pair_ca("PEM"); }, kInvalid,
            "pair_ca: must hold one certificate"}),
    [](const auto& instance) { return instance.param.name; });

struct Shape {
  std::string name;
  std::function<void(v1::EnrolRequest&)> spoil;
  std::string says;
};

class RefusesAShape : public ::testing::TestWithParam<Shape> {};

TEST_P(RefusesAShape, ThatIsSpoilt) {
  Case honest;
  GetParam().spoil(honest.request);
  const absl::Status status = CheckShape(honest.request);
  EXPECT_EQ(status.code(), kInvalid);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Enrolment, RefusesAShape,
    ::testing::Values(
        Shape{"ShortProof", [](auto& r) { r.set_token_proof("x"); }, "token_proof: has 1 bytes"},
        Shape{"NoPair", [](auto& r) { r.clear_pair(); }, "pair: is missing"},
        Shape{"OddPair", [](auto& r) { r.set_pair("a/node/b"); }, "pair: is 'a/node/b'"},
        Shape{"OddNode", [](auto& r) { r.set_node("../x"); }, "node: is '../x'"},
        Shape{"LongNode", [](auto& r) { r.set_node(std::string(64, 'x')); }, "node: is"},
        Shape{"NoRequest", [](auto& r) { r.clear_request(); }, "request: is missing"},
        Shape{"LongRequest", [](auto& r) { r.set_request(std::string(16385, 'x')); },
              "request: has 16385"},
        Shape{"NoCa", [](auto& r) { r.clear_pair_ca(); }, "pair_ca: is missing"},
        Shape{"NoCertificate", [](auto& r) { r.clear_pair_certificate(); },
              "pair_certificate: is missing"},
        Shape{"LongSignature", [](auto& r) { r.set_pair_signature(std::string(73, 'x')); },
              "pair_signature"},
        Shape{"LongVersion", [](auto& r) { r.set_version(std::string(65, 'x')); }, "version"},
        Shape{"OddVersion", [](auto& r) { r.set_version("1\x1b[2J"); }, "version"}),
    [](const auto& instance) { return instance.param.name; });

TEST(FindToken, FindsTheOneAmongMany) {
  const token::Session session{"SHA256:maker", "SHA256:caller"};
  std::vector<TokenRecord> tokens(100);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i].hash = token::HashOf(absl::StrCat(i));
  const std::string proof = token::ProofOf(token::Kind::kEnrolment, tokens[42].hash, session);
  ASSERT_NE(FindToken(tokens, proof, session), nullptr);
  EXPECT_EQ(FindToken(tokens, proof, session)->hash, tokens[42].hash);
  EXPECT_EQ(FindToken(tokens, proof, {"SHA256:maker", "SHA256:other"}), nullptr);
  EXPECT_EQ(FindToken(tokens, proof, {"SHA256:other", "SHA256:caller"}), nullptr);
  const std::string of_a_join = token::ProofOf(token::Kind::kJoin, tokens[42].hash, session);
  EXPECT_EQ(FindToken(tokens, of_a_join, session), nullptr);
}

}  // namespace
}  // namespace zcluster::controller
