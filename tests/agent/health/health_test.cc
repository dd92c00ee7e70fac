// SPDX-License-Identifier: Apache-2.0
#include "agent/health/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/health/seen.h"
#include "tests/support/loop_thread.h"
#include "tests/support/netns.h"

namespace zcluster::health {
namespace {

using testing::ElementsAre;

class Sink : public EventSink {
 public:
  void Report(core::Event event) override {
    if (auto* reported = std::get_if<core::HealthReported>(&event)) {
      seen.Tell(std::move(reported->checks));
    }
  }
  Seen seen;
};

std::vector<std::string> Names(const Seen::Results& results) {
  std::vector<std::string> names;
  for (const core::HealthCheck& check : results) names.push_back(check.name);
  return names;
}

class HealthTest : public testing::Test {
 protected:
  HealthTest() {
    near_.Shell(absl::StrCat("ip link add front type veth peer name front netns ", far_.Path(),
                             " && ip link add back type veth peer name far && ip link set far up "
                             "&& ip link set back up"));
    near_.Shell("ip addr add 192.0.2.1/24 dev front && ip link set front up");
    far_.Shell("ip addr add 192.0.2.254/24 dev front && ip link set front up");
    near_.Run([this] { thread_ = std::make_unique<test::LoopThread>(); });
  }
  ~HealthTest() override {
    thread_->Do([this] { health_.reset(); });
  }
  void Start(const Options& options) {
    thread_->Do([&] {
      health_ = std::make_unique<Health>(thread_->loop(), options);
      ASSERT_TRUE(health_->Start(sink_).ok());
    });
  }
  static Options All() {
    return {.node_name = "node1",
            .interfaces = {"front", "back"},
            .gateways = {"192.0.2.254"},
            .find_ways =
                [](const std::vector<std::string>& all) {
                  return std::vector<Way>(all.size(), Way{"front", ""});
                },
            .check = CheckOptions{.command = {"/bin/false"},
                                  .interval = absl::Milliseconds(200),
                                  .timeout = absl::Milliseconds(200)},
            .programs = {"/bin/false"}};
  }
  // Waits for a report of so many results.
  Seen::Results Await(size_t count) {
    return sink_.seen.Await([count](const auto& all) { return all.size() == count; });
  }

  const Netns near_, far_;
  Sink sink_;
  std::unique_ptr<test::LoopThread> thread_;
  std::unique_ptr<Health> health_;
};

TEST_F(HealthTest, ReportsAllInTheOrderOfTheConfiguration) {
  Start(All());
  EXPECT_THAT(Names(Await(4)),
              ElementsAre("interface front", "interface back", "gateway 192.0.2.254", "check"));
  EXPECT_TRUE(sink_.seen.AwaitPasses(0, true).passes);
  EXPECT_FALSE(sink_.seen.AwaitPasses(3, false).passes);
  far_.Shell("ip link set front down");
  EXPECT_FALSE(sink_.seen.AwaitPasses(0, false).passes);
  EXPECT_FALSE(sink_.seen.AwaitPasses(2, false).passes);
}

TEST_F(HealthTest, LeavesOutWhatHasNoResultYet) {
  Options options = All();
  options.gateways.clear();
  options.check->interval = absl::Minutes(10);
  Start(options);
  EXPECT_THAT(Names(Await(2)), ElementsAre("interface front", "interface back"));
}

TEST_F(HealthTest, SaysNothingIfNothingIsChecked) {
  Start({.node_name = "node1"});
  near_.Shell("ip link set front down");
  thread_->Do([] {});
  EXPECT_EQ(sink_.seen.times(), 0);
}

TEST_F(HealthTest, FollowsTheConfiguration) {
  Start(All());
  Await(4);
  thread_->Do([this] {
    Options options = All();
    options.interfaces = {"back"};
    options.check.reset();
    health_->Reconfigure(options);
  });
  EXPECT_THAT(Names(Await(2)), ElementsAre("interface back", "gateway 192.0.2.254"));
  thread_->Do([this] { health_->Reconfigure({.node_name = "node1"}); });
  EXPECT_THAT(Names(Await(0)), ElementsAre());
}

TEST_F(HealthTest, SaysNothingOnceStopped) {
  Start(All());
  Await(4);
  thread_->Do([this] { health_->Stop(); });
  const int times = sink_.seen.times();
  near_.Shell("ip link set back down");
  thread_->Do([this] { health_->Reconfigure({.node_name = "node1"}); });
  EXPECT_EQ(sink_.seen.times(), times);
}

}  // namespace
}  // namespace zcluster::health
