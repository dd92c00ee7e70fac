// SPDX-License-Identifier: Apache-2.0
// Whom operators' wishes go to, and what they ask of the books.
#include "tests/controller/hub/house.h"

namespace zcluster::controller {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class SteerTest : public testing::Test, protected House {};

TEST_F(SteerTest, AsksTheMasterElseTheOtherElseSaysSinceWhenNobodyIsThere) {
  EXPECT_EQ(hub->WhomToAsk("none").status().code(), absl::StatusCode::kNotFound);
  absl::Status nobody = hub->WhomToAsk("web-1").status();
  EXPECT_EQ(nobody.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(nobody.message()), HasSubstr("not since the controller started"));
  ConnectBoth();
  EXPECT_EQ(*hub->WhomToAsk("web-1"), lb1);
  hub->OnReport(lb1, Says("lb1", v1::ROLE_BACKUP, "lb2", v1::ROLE_MASTER));
  hub->OnReport(lb2, Says("lb2", v1::ROLE_MASTER, "lb1", v1::ROLE_BACKUP));
  EXPECT_EQ(*hub->WhomToAsk("web-1"), lb2);
  Leave(lb2);
  EXPECT_EQ(*hub->WhomToAsk("web-1"), lb1) << "it passes on";
  Leave(lb1);
  nobody = hub->WhomToAsk("web-1").status();
  EXPECT_THAT(std::string(nobody.message()), HasSubstr("no agent of web-1 is connected: last "
                                                       "heard 0 ago"));
}

TEST_F(SteerTest, AsksThatVeryNode) {
  ConnectBoth();
  EXPECT_EQ(*hub->AgentOf("web-1", "lb2"), lb2);
  EXPECT_EQ(hub->AgentOf("web-1", "lb9").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(hub->AgentOf("web-1", "lb9").status().message()), HasSubstr("lb1, lb2"));
  Leave(lb2);
  EXPECT_THAT(std::string(hub->AgentOf("web-1", "lb2").status().message()),
              HasSubstr("the connection was lost"));
}

TEST_F(SteerTest, CountsWhatFails) {
  ConnectBoth();
  int said = 0;
  hub->Ask(lb1, v1::FleetRequest(), [&said](const v1::RequestProgress&) { ++said; });
  v1::RequestProgress end;
  end.mutable_end()->set_code(9);
  agents.asked[0].progress(end);
  EXPECT_EQ(said, 1);
  EXPECT_EQ(hub->figures().requests, 1U);
  EXPECT_EQ(hub->figures().requests_failed, 1U);
  hub.reset();
  agents.asked[0].progress(end);  // nobody is there any more
  EXPECT_EQ(said, 1);
}

class PairsTest : public SteerTest {
 protected:
  absl::Status Forget(const std::string& pair, const std::string& node = "") {
    v1::ForgetPairRequest request;
    request.set_pair(pair);
    request.set_node(node);
    absl::Status result = absl::UnknownError("no answer");
    hub->Forget(request, [&result](const absl::Status& done) { result = done; });
    return result;
  }
};

TEST_F(PairsTest, ForgetsANodeAndEndsItsLink) {
  ConnectBoth();
  EXPECT_EQ(Forget("web-1", "lb9").code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Forget("web-1", "lb2").ok());
  ASSERT_EQ(agents.ended.size(), 1U);
  EXPECT_EQ(agents.ended[0].first, lb2);
  EXPECT_EQ(agents.ended[0].second.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_FALSE(Connect(lb2).ok());
  EXPECT_THAT(store.Names(), ElementsAre("agent_forgotten"));
  EXPECT_EQ(hub->figures().agents_enrolled, 1U);
}

TEST_F(PairsTest, ForgetsAPairAndKeepsItsEvents) {
  ConnectBoth();
  hub->OnEvents(lb1, Batch(1, 1));
  ASSERT_TRUE(Forget("web-1").ok());
  EXPECT_EQ(hub->fleet().pairs(), 0U);
  EXPECT_EQ(agents.ended.size(), 2U);
  EXPECT_THAT(store.Names(), ElementsAre("e1", "agent_forgotten", "agent_forgotten"));
  EXPECT_EQ(Forget("web-1").code(), absl::StatusCode::kNotFound);
}

TEST_F(PairsTest, ChangesLabelsOnTheDiskFirst) {
  v1::LabelPairRequest request;
  request.set_pair("web-1");
  (*request.mutable_set())["site"] = "b";
  request.add_remove("env");
  absl::StatusOr<v1::LabelPairResponse> labels = absl::UnknownError("");
  const auto keep = [&labels](absl::StatusOr<v1::LabelPairResponse> now) { labels = now; };
  hub->Label(request, keep);
  ASSERT_TRUE(labels.ok());
  EXPECT_EQ(labels->labels().size(), 1U);
  EXPECT_EQ(hub->fleet().Find("web-1")->labels().at("site"), "b");
  EXPECT_EQ(store.kept.pairs[0].labels.count("env"), 0U);
  (*request.mutable_set())["a b"] = "";
  hub->Label(request, keep);
  EXPECT_EQ(labels.status().code(), absl::StatusCode::kInvalidArgument);
  store.fails = absl::InternalError("disk full");
  request.clear_set();
  request.add_remove("site");
  hub->Label(request, keep);
  EXPECT_EQ(labels.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(hub->fleet().Find("web-1")->labels().count("site"), 1U);
}

TEST_F(PairsTest, ShowsAllThatIsKnown) {
  ConnectBoth();
  hub->OnEvents(lb1, Batch(1, 12));
  absl::StatusOr<v1::ShowPairResponse> shown = absl::UnknownError("");
  hub->Show("web-1", [&shown](absl::StatusOr<v1::ShowPairResponse> now) { shown = now; });
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->summary().master(), "lb1");
  ASSERT_EQ(shown->views_size(), 2);
  EXPECT_EQ(shown->views(0).status().nodes(0).hostname(), "lb1");
  EXPECT_EQ(shown->views(0).events_taken(), 12U);
  ASSERT_EQ(shown->events_size(), 10);
  EXPECT_EQ(shown->events(9).event().name(), "e12");
}

class OperatorsTest : public SteerTest {};

TEST_F(OperatorsTest, AddsListsAndRevokes) {
  EXPECT_TRUE(admitted.empty());
  const std::string key = *pki::MakeKey();
  v1::AddOperatorRequest request;
  request.set_name("anna");
  request.set_role(v1::RIGHT_OPERATOR);
  request.set_request(*pki::MakeRequest(key, "zcluster://x"));
  absl::StatusOr<v1::AddOperatorResponse> added = absl::UnknownError("");
  const auto keep = [&added](absl::StatusOr<v1::AddOperatorResponse> now) { added = now; };
  hub->AddOperator(request, keep);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->pair(), "acme");
  EXPECT_THAT(added->addresses(), ElementsAre("c1.example.org:7802"));
  ASSERT_EQ(admitted.size(), 1U);
  EXPECT_EQ(admitted[0].key, *pki::KeyFingerprint(key));
  EXPECT_EQ(admitted[0].right, access::Right::kOperator);
  EXPECT_EQ(hub->ListOperators().operators(0).name(), "anna");
  Open();
  EXPECT_EQ(admitted.size(), 1U) << "from the start, what the disk holds";

  request.set_role(v1::RIGHT_UNSPECIFIED);
  hub->AddOperator(request, keep);
  EXPECT_EQ(added.status().code(), absl::StatusCode::kInvalidArgument);
  request.set_role(v1::RIGHT_VIEWER);
  request.set_name("an na");
  hub->AddOperator(request, keep);
  EXPECT_EQ(added.status().code(), absl::StatusCode::kInvalidArgument);

  v1::RevokeOperatorRequest revoke;
  revoke.set_name("anna");
  absl::Status revoked = absl::UnknownError("");
  hub->RevokeOperator(revoke, [&revoked](const absl::Status& done) { revoked = done; });
  EXPECT_TRUE(revoked.ok());
  EXPECT_TRUE(admitted.empty());
  hub->RevokeOperator(revoke, [&revoked](const absl::Status& done) { revoked = done; });
  EXPECT_EQ(revoked.code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace zcluster::controller
