// SPDX-License-Identifier: Apache-2.0
#include "agent/console/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/core/names.h"
#include "tests/support/promtool.h"

namespace zcluster::console {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Whatever the page can show.
Snapshot Full() {
  Snapshot s;
  s.node = "lb1";
  s.member = Member{.pair = "main", .node = "lb1", .address = "10.0.0.1", .peer = "lb2"};
  s.view.local = {"lb1", "10.0.0.1", core::Role::kMaster, core::Status::kGreen, "serves"};
  s.view.remote = {"lb2", "10.0.0.2", core::Role::kBackup, core::Status::kGreen, "ready"};
  s.view.term = core::Term{8};
  s.view.own_term = core::Term{7};
  s.view.link.up = true;
  s.view.conntrack.synchronised = true;
  s.view.conntrack.lag = absl::Milliseconds(250);
  s.view.conntrack.flows = 80311;
  s.view.conntrack.missing = 42;
  s.view.conntrack.classes = {
      .known = true, .forwarded = 8, .translated = 80303, .local = 9, .own = 2, .filtered = 1};
  s.view.roots = {{"/etc/haproxy", "d1", "d1", 12, ""},
                  {"/etc/\"odd\"\n\\name\xFF", "d1", "d2", 3, "differs"}};
  s.conntrack = {.changes = 1,
                 .snapshots = 2,
                 .overruns = 3,
                 .refused = 4,
                 .verifications = 5,
                 .differing = 6,
                 .repairs = 7};
  s.promotions = 5;
  s.demotions = 6;
  return s;
}

Snapshot Idle() {
  Snapshot s;
  s.node = "lb1";
  return s;
}

std::string Text(const Snapshot& snapshot) {
  http_console::Metrics metrics;
  Measure(snapshot, metrics);
  return metrics.Text();
}

// The samples of `name` that are 1.
std::vector<std::string> Ones(const std::string& text, const std::string& name) {
  std::vector<std::string> found;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StartsWith(line, name) && absl::EndsWith(line, " 1")) found.emplace_back(line);
  }
  return found;
}

TEST(Snapshot, PromtoolFindsNothingWrongWithAnyOfIt) {
  EXPECT_TRUE(test::PromtoolAccepts("check metrics", Text(Full())));
  EXPECT_TRUE(test::PromtoolAccepts("check metrics", Text(Idle())));
}

TEST(Snapshot, SaysAllThatIsKnown) {
  const std::string text = Text(Full());
  for (const char* line :
       {"zcluster_node_info{node=\"lb1\",address=\"10.0.0.1\",pair=\"main\",peer=\"lb2\"} 1",
        "zcluster_role{role=\"MASTER\"} 1",
        "zcluster_role{role=\"BACKUP\"} 0",
        "zcluster_status{status=\"GREEN\"} 1",
        "zcluster_status{status=\"RED\"} 0",
        "zcluster_ready 1",
        "zcluster_term 8",
        "zcluster_own_term 7",
        "zcluster_link_up 1",
        "zcluster_peer_role{role=\"BACKUP\"} 1",
        "zcluster_conntrack_synchronised 1",
        "zcluster_conntrack_flows 80311",
        "zcluster_conntrack_missing 42",
        "zcluster_conntrack_lag_seconds 0.25",
        "zcluster_conntrack_changes_total 1",
        "zcluster_conntrack_snapshots_total 2",
        "zcluster_conntrack_overruns_total 3",
        "zcluster_conntrack_refused_total 4",
        "zcluster_conntrack_table_flows{class=\"forwarded\"} 8",
        "zcluster_conntrack_table_flows{class=\"translated\"} 80303",
        "zcluster_conntrack_table_flows{class=\"local\"} 9",
        "zcluster_conntrack_table_flows{class=\"own\"} 2",
        "zcluster_conntrack_table_flows{class=\"filtered\"} 1",
        "zcluster_conntrack_verifications_total 5",
        "zcluster_conntrack_differing_total 6",
        "zcluster_conntrack_repairs_total 7",
        "zcluster_promotions_total 5",
        "zcluster_demotions_total 6",
        "zcluster_configsync_root_synchronised{path=\"/etc/haproxy\"} 1",
        "zcluster_configsync_root_synchronised{path=\"/etc/\\\"odd\\\"\\n\\\\name\\\\xFF\"} 0",
        "zcluster_configsync_root_entries{path=\"/etc/haproxy\"} 12"}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("\n", line, "\n")));
  }
}

TEST(Snapshot, ExactlyOneRoleAndOneColourIsOne) {
  Snapshot s = Full();
  for (const core::Role role :
       {core::Role::kUnknown, core::Role::kMaster, core::Role::kBackup, core::Role::kMaintenance,
        core::Role::kFault, core::Role::kUnconfigured}) {
    s.view.local.role = role;
    s.view.remote.role = role;
    const std::string is = absl::StrCat("{role=\"", std::string(core::Name(role)), "\"} 1");
    EXPECT_THAT(Ones(Text(s), "zcluster_role{"), ElementsAre("zcluster_role" + is));
    EXPECT_THAT(Ones(Text(s), "zcluster_peer_role{"), ElementsAre("zcluster_peer_role" + is));
  }
  for (const core::Status status :
       {core::Status::kGreen, core::Status::kRed, core::Status::kGrey, core::Status::kOrange}) {
    s.view.local.status = status;
    EXPECT_EQ(Ones(Text(s), "zcluster_status{").size(), 1U);
  }
}

TEST(Snapshot, ANodeInNoPairLeavesOutWhatOnlyAPairHas) {
  const std::string text = Text(Idle());
  EXPECT_THAT(Ones(text, "zcluster_role{"), ElementsAre("zcluster_role{role=\"UNCONFIGURED\"} 1"));
  EXPECT_THAT(Ones(text, "zcluster_status{"), ElementsAre("zcluster_status{status=\"GREY\"} 1"));
  EXPECT_THAT(text, HasSubstr("\nzcluster_promotions_total 0\n"));
  for (const char* name : {"zcluster_ready", "zcluster_term", "zcluster_link_up",
                           "zcluster_conntrack_synchronised", "zcluster_conntrack_lag_seconds"}) {
    EXPECT_THAT(text, Not(HasSubstr(name)));
  }
}

TEST(Snapshot, WithoutReplicationNothingIsSaidOfIt) {
  Snapshot s = Full();
  s.member->replicate_conntrack = false;
  EXPECT_THAT(Text(s), Not(HasSubstr("zcluster_conntrack_synchronised")));
  EXPECT_THAT(Text(s), HasSubstr("\nzcluster_conntrack_changes_total 1\n")) << "counters stay";
}

TEST(Snapshot, ALagIsOnlyKnownWhileSynchronised) {
  Snapshot s = Full();
  s.view.conntrack.synchronised = false;
  EXPECT_THAT(Text(s), HasSubstr("\nzcluster_conntrack_synchronised 0\n"));
  EXPECT_THAT(Text(s), Not(HasSubstr("zcluster_conntrack_lag_seconds")));
}

TEST(Snapshot, RootsAreBoundedAndEachShownOnce) {
  Snapshot s = Full();
  s.view.roots.clear();
  for (int i = 0; i < 1000; ++i) s.view.roots.push_back({absl::StrCat("/r", i / 2), "", "", 1, ""});
  const std::string text = Text(s);
  EXPECT_THAT(Ones(text, "zcluster_configsync_root_entries{").size(), 64U);
  EXPECT_TRUE(test::PromtoolAccepts("check metrics", text));
}

TEST(Snapshot, OnlyRedIsAProblem) {
  Snapshot s = Full();
  EXPECT_THAT(Problems(s), IsEmpty());
  s.view.local.status = core::Status::kOrange;
  EXPECT_THAT(Problems(s), IsEmpty());
  s.view.local.status = core::Status::kRed;
  s.view.local.message = "not ready:\r\nHTTP";
  EXPECT_THAT(Problems(s), ElementsAre("lb1 is RED: not ready:\\x0D\\x0AHTTP"));
  s.member.reset();
  EXPECT_THAT(Problems(s), IsEmpty());
}

}  // namespace
}  // namespace zcluster::console
