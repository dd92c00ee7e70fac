// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/fleet_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/pki.h"
#include "common/tls.h"

namespace zcluster::controller_link {
namespace {

using testing::HasSubstr;

struct Ca {
  std::string key = *pki::MakeKey();
  std::string certificate = *pki::MakeCa(key, "fleet");
};

identity::Identity Issue(const Ca& ca, const std::string& uri,
                         absl::Duration lifetime = absl::Hours(1)) {
  identity::Identity made{
      .certificate = "", .key = *pki::MakeKey(), .ca = ca.certificate, .ca_key = ""};
  made.certificate =
      *pki::Sign(*pki::MakeRequest(made.key, uri), ca.certificate, ca.key, {uri, lifetime});
  return made;
}

std::string Said(const absl::Status& status) { return std::string(status.message()); }

TEST(FleetIdentity, ReadsItsNameFromItsUri) {
  const auto name = ParseAgentUri("zcluster://fleet/agent/lab-east/lb1.example");
  ASSERT_TRUE(name.ok()) << name.status();
  EXPECT_EQ(name->fleet, "fleet");
  EXPECT_EQ(name->pair, "lab-east");
  EXPECT_EQ(name->node, "lb1.example");
  EXPECT_EQ(name->Uri(), "zcluster://fleet/agent/lab-east/lb1.example");
}

TEST(FleetIdentity, TakesNothingElseForOne) {
  for (const char* uri :
       {"", "zcluster://", "zcluster://fleet/agent/lab", "zcluster://fleet/agent/lab/lb1/x",
        "zcluster://fleet/node/lab/lb1", "zcluster:///agent/lab/lb1", "zcluster://fleet/agent//lb1",
        "zcluster://fleet/agent/lab/", "https://fleet/agent/lab/lb1",
        "zcluster://fleet/agent/la b/lb1", "zcluster://fleet/agent/lab/lb1\n"}) {
    EXPECT_FALSE(ParseAgentUri(uri).ok()) << uri;
  }
}

TEST(FleetIdentity, KnowsAControllerOfItsFleetOnly) {
  EXPECT_EQ(*ControllerName("fleet", "zcluster://fleet/controller/ctl1"), "ctl1");
  for (const char* uri : {"", "zcluster://other/controller/ctl1", "zcluster://fleet/controller/",
                          "zcluster://fleet/agent/lab/lb1", "zcluster://fleet/controller/a/b"}) {
    EXPECT_FALSE(ControllerName("fleet", uri).ok()) << uri;
  }
}

TEST(FleetIdentity, TakesWhatIsForItsKeyAndItsNode) {
  const Ca ca;
  const auto name = CheckIssued(Issue(ca, "zcluster://fleet/agent/lab/lb1"), "lb1");
  ASSERT_TRUE(name.ok()) << name.status();
  EXPECT_EQ(name->pair, "lab");
}

TEST(FleetIdentity, RefusesWhatIsSomebodyElses) {
  const Ca ca;
  const Ca other;
  const std::string uri = "zcluster://fleet/agent/lab/lb1";
  EXPECT_THAT(Said(CheckIssued(Issue(ca, "zcluster://fleet/agent/lab/lb2"), "lb1").status()),
              HasSubstr("is for the node lb2, not for lb1"));
  EXPECT_THAT(Said(CheckIssued(Issue(ca, "zcluster://lab/node/lb1"), "lb1").status()),
              HasSubstr("names no agent"));
  identity::Identity wrong_key = Issue(ca, uri);
  wrong_key.key = *pki::MakeKey();
  EXPECT_FALSE(CheckIssued(wrong_key, "lb1").ok());
  identity::Identity wrong_ca = Issue(ca, uri);
  wrong_ca.ca = other.certificate;
  EXPECT_FALSE(CheckIssued(wrong_ca, "lb1").ok());
  identity::Identity none = Issue(ca, uri);
  none.certificate = "not PEM";
  EXPECT_FALSE(CheckIssued(none, "lb1").ok());
}

TEST(FleetIdentity, IsRenewedForTheSameAgentByTheSameCaOnly) {
  const Ca ca;
  const Ca other;
  const std::string uri = "zcluster://fleet/agent/lab/lb1";
  const identity::Identity present = Issue(ca, uri);
  EXPECT_EQ(CheckRenewed(Issue(ca, uri), present), absl::OkStatus());
  EXPECT_THAT(Said(CheckRenewed(Issue(ca, "zcluster://fleet/agent/lab/lb2"), present)),
              HasSubstr("names somebody else"));
  EXPECT_THAT(Said(CheckRenewed(Issue(other, uri), present)), HasSubstr("signed by another CA"));
  identity::Identity renewed_ca = Issue(ca, uri);
  renewed_ca.ca = *pki::RenewCa(ca.key, ca.certificate);
  EXPECT_EQ(CheckRenewed(renewed_ca, present), absl::OkStatus());
}

}  // namespace
}  // namespace zcluster::controller_link
