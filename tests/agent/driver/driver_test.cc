// SPDX-License-Identifier: Apache-2.0
#include "agent/driver/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace zcluster::driver {
namespace {

// Notes what it is told, and answers nothing.
class Recorder : public Adapter {
 public:
  Recorder(std::string name, std::vector<std::string>& log) : name_(std::move(name)), log_(log) {}
  absl::Status Start(EventSink&) override {
    log_.push_back(name_ + " starts");
    return start_status;
  }
  void Perform(const core::Action& action) override { actions.push_back(action); }
  void Stop() override { log_.push_back(name_ + " stops"); }

  template <typename T>
  int Count() const {
    int count = 0;
    for (const core::Action& action : actions) count += std::holds_alternative<T>(action) ? 1 : 0;
    return count;
  }

  absl::Status start_status;
  std::vector<core::Action> actions;

 private:
  std::string name_;
  std::vector<std::string>& log_;
};

class DriverTest : public testing::Test {
 protected:
  DriverTest() : brain_(Config(), core::Durable{}) {}

  static core::Config Config() {
    core::Config config;
    config.node_name = "node1";
    config.node_address = "10.0.0.1";
    config.peer_name = "node2";
    config.peer_address = "10.0.0.2";
    return config;
  }
  // Runs the loop until all that was reported before this call is done.
  void Settle() {
    loop_.Post([this] { loop_.Quit(); });
    loop_.Run();
  }

  Loop loop_;
  core::Brain brain_;
  std::vector<std::string> log_;
  Recorder a_{"a", log_};
  Recorder b_{"b", log_};
  Driver driver_{loop_, brain_, {&a_, &b_}};
};

TEST_F(DriverTest, StartsAdaptersInOrderAndStopsThemInTheOpposite) {
  ASSERT_TRUE(driver_.Start().ok());
  driver_.Stop();
  EXPECT_THAT(log_, testing::ElementsAre("a starts", "b starts", "b stops", "a stops"));
}

TEST_F(DriverTest, StopsWhatRunsWhenAnAdapterCannotStart) {
  b_.start_status = absl::UnavailableError("no keepalived");
  EXPECT_EQ(driver_.Start(), b_.start_status);
  EXPECT_THAT(log_, testing::ElementsAre("a starts", "b starts", "a stops"));
}

TEST_F(DriverTest, BringsTheBrainsOrdersToEveryAdapter) {
  ASSERT_TRUE(driver_.Start().ok());
  Settle();
  EXPECT_EQ(a_.Count<core::StartHeartbeat>(), 1);
  EXPECT_EQ(b_.Count<core::StartHeartbeat>(), 1);
  driver_.Stop();
}

TEST_F(DriverTest, BringsDecisionsToEveryAdapterToo) {
  ASSERT_TRUE(driver_.Start().ok());
  driver_.Report(core::VrrpReported{core::VrrpState::kBackup});
  driver_.Report(core::PeerConnected{"10.0.0.2:7700", "0.1.0", {}});
  Settle();
  EXPECT_GT(a_.Count<core::LogDecision>(), 0);
  EXPECT_EQ(b_.Count<core::LogDecision>(), a_.Count<core::LogDecision>());
  driver_.Stop();
}

TEST_F(DriverTest, HoldsAPromiseBackUntilTheDiskHasIt) {
  ASSERT_TRUE(driver_.Start().ok());
  driver_.Report(core::VrrpReported{core::VrrpState::kMaster});
  Settle();
  ASSERT_EQ(a_.Count<core::Persist>(), 1);
  EXPECT_EQ(a_.Count<core::Announce>(), 1) << "what only acts here does not wait";
  EXPECT_EQ(a_.Count<core::AssumeRole>(), 0) << "the term would be told before it is on disk";
  driver_.Report(core::Persisted{});
  Settle();
  EXPECT_EQ(a_.Count<core::AssumeRole>(), 1);
  driver_.Stop();
}

TEST_F(DriverTest, LetsTimePassForTheBrain) {
  ASSERT_TRUE(driver_.Start().ok());
  driver_.Report(core::VrrpReported{core::VrrpState::kBackup});
  driver_.Report(core::PeerConnected{"10.0.0.2:7700", "0.1.0", {}});
  Settle();
  const int before = a_.Count<core::SendState>();
  // Nothing happens any more, but the peer hears of us each second: that takes ticks.
  const absl::Time limit = Loop::Now() + absl::Seconds(20);
  Loop::Registration poll = loop_.Every(absl::Milliseconds(10), [&] {
    if (a_.Count<core::SendState>() > before || Loop::Now() > limit) loop_.Quit();
  });
  loop_.Run();
  EXPECT_GT(a_.Count<core::SendState>(), before);
  driver_.Stop();
}

}  // namespace
}  // namespace zcluster::driver
