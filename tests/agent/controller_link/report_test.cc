// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/report.h"

#include <gtest/gtest.h>

#include "agent/controller_link/limits.h"

namespace zcluster::controller_link {
namespace {

v1::GetStatusResponse Status() {
  v1::GetStatusResponse status;
  status.set_pair("lab");
  v1::Node& node = *status.add_nodes();
  node.set_hostname("lb1");
  node.set_role(v1::ROLE_MASTER);
  status.set_term(7);
  status.mutable_link()->set_up(true);
  status.mutable_conntrack()->set_synchronised(true);
  return status;
}

TEST(Essence, AgesAndCountersSayNothingNew) {
  v1::GetStatusResponse later = Status();
  later.mutable_nodes(0)->mutable_age()->set_seconds(9);
  later.mutable_link()->mutable_since()->set_seconds(9);
  later.mutable_conntrack()->mutable_lag()->set_seconds(9);
  later.mutable_conntrack()->set_flows(9);
  later.mutable_conntrack()->set_changes(9);
  later.mutable_conntrack()->set_snapshots(9);
  later.mutable_conntrack()->set_overruns(9);
  later.mutable_conntrack()->set_refused(9);
  later.mutable_conntrack()->set_missing(9);
  later.mutable_conntrack()->set_table_entries(9);
  later.mutable_controller()->set_connected(true);
  EXPECT_EQ(Essence(Status()), Essence(later));
}

TEST(Essence, WhatAnOperatorWouldSeeIsNew) {
  v1::GetStatusResponse role = Status();
  role.mutable_nodes(0)->set_role(v1::ROLE_BACKUP);
  EXPECT_NE(Essence(Status()), Essence(role));
  v1::GetStatusResponse link = Status();
  link.mutable_link()->set_problem("cut");
  EXPECT_NE(Essence(Status()), Essence(link));
  v1::GetStatusResponse flows = Status();
  flows.mutable_conntrack()->set_synchronised(false);
  EXPECT_NE(Essence(Status()), Essence(flows));
}

TEST(MakeReport, NamesThePairOnlyWhereTheFleetCallsItOtherwise) {
  EXPECT_EQ(MakeReport(Status(), "lab", "lab").pair(), "");
  EXPECT_EQ(MakeReport(Status(), "lab", "lab-east").pair(), "lab");
  v1::GetStatusResponse linked = Status();
  linked.mutable_controller()->set_connected(true);
  EXPECT_FALSE(MakeReport(linked, "lab", "lab").status().has_controller());
}

TEST(Essence, LeavesOutTheEvidenceOfWhatIsMet) {
  v1::GetStatusResponse status = Status();
  v1::Precondition& precondition = *status.add_readiness();
  precondition.set_met(true);
  precondition.set_evidence("lb1 sees 3 flows synchronised");
  const std::string before = Essence(status);
  precondition.set_evidence("lb1 sees 4 flows synchronised");
  EXPECT_EQ(Essence(status), before);
  precondition.set_met(false);
  EXPECT_NE(Essence(status), before);
}

TEST(MakeReport, TellsThePreconditionsThatNeedALook) {
  v1::GetStatusResponse status = Status();
  for (const auto& [name, met, warning] :
       {std::tuple("a", true, false), {"b", false, false}, {"c", true, true}}) {
    v1::Precondition& precondition = *status.add_readiness();
    precondition.set_name(name);
    precondition.set_met(met);
    precondition.set_warning(warning);
  }
  const v1::AgentReport report = MakeReport(status, "lab", "lab");
  ASSERT_EQ(report.status().readiness_size(), 2);
  EXPECT_EQ(report.status().readiness(0).name(), "b");
  EXPECT_EQ(report.status().readiness(1).name(), "c");
}

TEST(MakeReport, FitsInAMessageWhateverThereIsToSay) {
  v1::GetStatusResponse much = Status();
  for (int i = 0; i < 64; ++i) much.add_readiness()->set_evidence(std::string(8 << 10, 'e'));
  for (int i = 0; i < 64; ++i) {
    much.add_roots()->set_problem(std::string(8 << 10, 'r'));
    much.add_not_ready(std::string(8 << 10, 'n'));
  }
  const v1::AgentReport report = MakeReport(much, "lab", "lab");
  EXPECT_LT(report.ByteSizeLong(), kMaxMessageBytes);
  EXPECT_EQ(report.status().nodes(0).hostname(), "lb1");
  EXPECT_GT(report.status().not_ready_size(), 0);
  v1::GetStatusResponse absurd = Status();
  absurd.mutable_nodes(0)->set_message(std::string(1 << 20, 'm'));
  EXPECT_LT(MakeReport(absurd, "lab", "lab").ByteSizeLong(), kMaxMessageBytes);
}

}  // namespace
}  // namespace zcluster::controller_link
