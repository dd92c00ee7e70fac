// SPDX-License-Identifier: Apache-2.0
#include "agent/console/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/support/http_client.h"
#include "tests/support/loop_thread.h"

namespace zcluster::console {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct NoEvents : EventSink {
  void Report(core::Event) override {}
};

class ConsoleTest : public testing::Test {
 protected:
  std::string Text() {
    http_console::Metrics metrics;
    content_.measure(metrics);
    return metrics.Text();
  }

  // The node becomes `role` in `own_term`.
  void Become(core::Role role, uint64_t own_term) {
    view_.local.role = role;
    view_.own_term = core::Term{own_term};
    Publish();
  }
  void Publish() { member_.Perform(core::Publish{view_}); }

  Member Lb1() const {
    return {.pair = "main", .node = "lb1", .address = "10.0.0.1", .peer = "lb2"};
  }

  NoEvents events_;
  Console console_{"lb1"};
  MemberConsole member_{console_, Lb1()};
  const http_console::Content content_ = console_.content();
  core::View view_;
};

TEST_F(ConsoleTest, ShowsANodeInNoPairUntilAMemberStartsAndAfterItStops) {
  EXPECT_THAT(Text(), HasSubstr("zcluster_role{role=\"UNCONFIGURED\"} 1"));
  ASSERT_TRUE(member_.Start(events_).ok());
  EXPECT_THAT(Text(), HasSubstr("zcluster_role{role=\"UNKNOWN\"} 1"));
  EXPECT_THAT(Text(), HasSubstr("\nzcluster_ready 0\n")) << "nothing is known yet";
  Become(core::Role::kBackup, 0);
  EXPECT_THAT(Text(), HasSubstr("zcluster_role{role=\"BACKUP\"} 1"));
  member_.Stop();
  EXPECT_THAT(Text(), HasSubstr("zcluster_role{role=\"UNCONFIGURED\"} 1"));
}

TEST_F(ConsoleTest, CountsPromotionsAndDemotions) {
  ASSERT_TRUE(member_.Start(events_).ok());
  Become(core::Role::kUnknown, 3);
  Become(core::Role::kBackup, 3);
  EXPECT_THAT(Text(), HasSubstr("\nzcluster_promotions_total 0\n"));
  Become(core::Role::kMaster, 5);
  Become(core::Role::kMaster, 5);
  EXPECT_THAT(Text(), HasSubstr("\nzcluster_promotions_total 1\n"));
  EXPECT_THAT(Text(), HasSubstr("\nzcluster_demotions_total 0\n"));
  Become(core::Role::kFault, 5);
  Become(core::Role::kMaster, 6);
  Become(core::Role::kMaster, 8);  // the peer knew a later term
  EXPECT_THAT(Text(), HasSubstr("\nzcluster_promotions_total 3\n"));
  EXPECT_THAT(Text(), HasSubstr("\nzcluster_demotions_total 1\n"));
}

TEST_F(ConsoleTest, AnAgentThatFindsItsNodeAsMasterCountsNoPromotion) {
  ASSERT_TRUE(member_.Start(events_).ok());
  Become(core::Role::kUnknown, 5);
  Become(core::Role::kMaster, 5);
  EXPECT_THAT(Text(), HasSubstr("\nzcluster_promotions_total 0\n"));
}

TEST_F(ConsoleTest, LeavingAPairIsNoDemotionAndCountersGoOnInTheNext) {
  ASSERT_TRUE(member_.Start(events_).ok());
  Become(core::Role::kBackup, 0);
  view_.conntrack.changes = 100;
  view_.conntrack.snapshots = 2;
  view_.conntrack.overruns = 1;
  view_.conntrack.refused = 5;
  view_.conntrack.verifications = 3;
  view_.conntrack.differing = 2;
  view_.conntrack.repairs = 1;
  Become(core::Role::kMaster, 1);
  member_.Stop();
  Member other = Lb1();
  other.pair = "other";
  MemberConsole next(console_, other);
  ASSERT_TRUE(next.Start(events_).ok());
  view_ = {};
  view_.conntrack.changes = 7;
  next.Perform(core::Publish{view_});
  view_.conntrack.changes = 10;
  next.Perform(core::Publish{view_});
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("\nzcluster_conntrack_changes_total 110\n"));
  EXPECT_THAT(text, HasSubstr("\nzcluster_conntrack_snapshots_total 2\n"));
  EXPECT_THAT(text, HasSubstr("\nzcluster_conntrack_overruns_total 1\n"));
  EXPECT_THAT(text, HasSubstr("\nzcluster_conntrack_refused_total 5\n"));
  EXPECT_THAT(text, HasSubstr("\nzcluster_conntrack_verifications_total 3\n"));
  EXPECT_THAT(text, HasSubstr("\nzcluster_conntrack_differing_total 2\n"));
  EXPECT_THAT(text, HasSubstr("\nzcluster_conntrack_repairs_total 1\n"));
  EXPECT_THAT(text, HasSubstr("\nzcluster_promotions_total 1\n"));
  EXPECT_THAT(text, HasSubstr("\nzcluster_demotions_total 0\n"));
}

TEST_F(ConsoleTest, AChangedConfigurationKeepsWhatIsKnown) {
  ASSERT_TRUE(member_.Start(events_).ok());
  view_.conntrack.changes = 100;
  Become(core::Role::kMaster, 4);
  Member changed = Lb1();
  changed.replicate_conntrack = false;
  member_.Reconfigure(changed);
  EXPECT_THAT(Text(), HasSubstr("zcluster_role{role=\"MASTER\"} 1"));
  EXPECT_THAT(Text(), Not(HasSubstr("zcluster_conntrack_flows")));
  Publish();
  EXPECT_THAT(Text(), HasSubstr("\nzcluster_conntrack_changes_total 100\n"));
}

TEST_F(ConsoleTest, ARedNodeIsAProblem) {
  ASSERT_TRUE(member_.Start(events_).ok());
  view_.local.status = core::Status::kRed;
  view_.local.message = "keepalived does not run";
  Publish();
  EXPECT_THAT(content_.problems(), ElementsAre("lb1 is RED: keepalived does not run"));
  member_.Stop();
  EXPECT_THAT(content_.problems(), testing::IsEmpty());
}

TEST_F(ConsoleTest, IsReadWhileItChanges) {
  test::LoopThread loop;
  std::unique_ptr<http_console::HttpConsole> http;
  int port = 0;
  loop.Do([&] {
    http = std::make_unique<http_console::HttpConsole>(
        loop.loop(),
        http_console::Options{.program = "zagent", .version = "1", .listen = "127.0.0.1:0"},
        console_.content());
    port = http->port();
    ASSERT_TRUE(member_.Start(events_).ok());
  });
  std::atomic<bool> done{false};
  std::thread changing([&] {
    for (uint64_t term = 1; !done; ++term) {
      loop.Do([&] {
        view_.roots.assign(term % 5, {"/etc/haproxy", "a", "a", term, ""});
        Become(term % 2 == 0 ? core::Role::kBackup : core::Role::kMaster, term / 2);
      });
    }
  });
  for (int i = 0; i < 200; ++i) {
    const std::string answer = test::Ask(port, "GET", i % 2 == 0 ? "/metrics" : "/healthz");
    ASSERT_THAT(answer, testing::StartsWith("HTTP/1.1 200 "));
  }
  done = true;
  changing.join();
  loop.Do([&] { http.reset(); });
}

}  // namespace
}  // namespace zcluster::console
