// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/facts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "absl/synchronization/mutex.h"

namespace zcluster::facts {
namespace {

constexpr absl::Duration kLong = absl::Seconds(20);

class Sink : public EventSink {
 public:
  void Report(core::Event event) override {
    absl::MutexLock lock(&mutex_);
    newest_ = std::get<core::FactsReported>(event).facts;
    ++reports_;
  }
  // Waits until the newest report has it.
  bool Await(const core::Fact& fact) {
    absl::MutexLock lock(&mutex_);
    const auto told = [this, &fact] {
      mutex_.AssertHeld();
      return std::find(newest_.begin(), newest_.end(), fact) != newest_.end();
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&told), kLong);
  }
  int reports() {
    absl::MutexLock lock(&mutex_);
    return reports_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<core::Fact> newest_ ABSL_GUARDED_BY(mutex_);
  int reports_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A look an hour: what comes sooner was asked for.
Options Hourly(uint64_t generation) {
  return {.address = "",
          .peer_address = "",
          .version = "0.1.0",
          .generation = generation,
          .vips = {},
          .backends = {},
          .peer_links = {},
          .state_dir = "/",
          .certificate = "",
          .interval = absl::Hours(1)};
}

TEST(Facts, AreToldAtOnceAndAgainWhenTheConfigurationChanges) {
  Sink sink;
  Facts facts(Hourly(1));
  ASSERT_TRUE(facts.Start(sink).ok());
  EXPECT_TRUE(sink.Await({"configuration generation", "1"}));
  EXPECT_TRUE(sink.Await({"version", "0.1.0"}));
  facts.Reconfigure(Hourly(2));
  EXPECT_TRUE(sink.Await({"configuration generation", "2"}));
  facts.Stop();
}

TEST(Facts, ThatStayAsTheyAreAreToldOnce) {
  Sink sink;
  Options often = Hourly(1);
  often.state_dir = "/proc";  // whose free space does not move
  Facts facts(often);
  ASSERT_TRUE(facts.Start(sink).ok());
  EXPECT_TRUE(sink.Await({"configuration generation", "1"}));
  for (uint64_t i = 2; i < 10; ++i) {
    facts.Reconfigure(Hourly(1));
  }
  facts.Reconfigure(Hourly(2));
  EXPECT_TRUE(sink.Await({"configuration generation", "2"}));
  facts.Stop();
  EXPECT_EQ(sink.reports(), 2);
}

TEST(Facts, StopDoesNotWaitForBackendsNorForTheNextLook) {
  Sink sink;
  Options options = Hourly(1);
  options.backends = {"192.0.2.1:9"};
  Facts facts(options);
  ASSERT_TRUE(facts.Start(sink).ok());
  EXPECT_TRUE(sink.Await({"configuration generation", "1"}));
  facts.Stop();
  facts.Stop();  // harmless
}

}  // namespace
}  // namespace zcluster::facts
