// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/acknowledgements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace zcluster::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AcknowledgementsTest : public testing::Test {
 protected:
  Acknowledgements Within(absl::Duration within) {
    return Acknowledgements(loop_, within, [this](const AgentId& agent, uint64_t taken) {
      sent_.push_back(absl::StrCat(agent.node, " ", taken));
    });
  }
  // Until so many were sent; only a broken one reaches the deadline.
  void RunUntilSent(size_t count) {
    const auto late = loop_.After(absl::Seconds(20), [this] { loop_.Quit(); });
    const auto look = loop_.Every(absl::Milliseconds(5), [this, count] {
      if (sent_.size() >= count) loop_.Quit();
    });
    loop_.Run();
  }

  Loop loop_;
  std::vector<std::string> sent_;
  const AgentId one_{"web", "lb1"};
  const AgentId two_{"web", "lb2"};
};

TEST_F(AcknowledgementsTest, DoNotWaitForTheFourthBatch) {
  Acknowledgements acknowledgements = Within(absl::Hours(1));
  acknowledgements.Taken(one_, 5, 1);
  acknowledgements.Taken(two_, 1, 1);
  acknowledgements.Taken(one_, 6, 1);
  EXPECT_THAT(sent_, IsEmpty());
  acknowledgements.Taken(one_, 9, 1);
  EXPECT_THAT(sent_, ElementsAre("lb1 9"));
  acknowledgements.Taken(one_, 10, 1);
  EXPECT_THAT(sent_, ElementsAre("lb1 9")) << "it begins anew";
}

TEST_F(AcknowledgementsTest, DoNotWaitWhereMuchIsTold) {
  Acknowledgements acknowledgements = Within(absl::Hours(1));
  acknowledgements.Taken(one_, 5, 5);
  EXPECT_THAT(sent_, IsEmpty());
  acknowledgements.Taken(one_, 50, 45);
  EXPECT_THAT(sent_, ElementsAre("lb1 50"));
}

TEST_F(AcknowledgementsTest, WaitNoLongerThanTheyMay) {
  Acknowledgements acknowledgements = Within(absl::Milliseconds(100));
  acknowledgements.Taken(one_, 5, 1);
  acknowledgements.Taken(one_, 6, 1);
  acknowledgements.Taken(two_, 1, 1);
  RunUntilSent(2);
  EXPECT_THAT(sent_, ElementsAre("lb1 6", "lb2 1"));
  acknowledgements.Taken(two_, 2, 1);
  RunUntilSent(3);
  EXPECT_THAT(sent_, ElementsAre("lb1 6", "lb2 1", "lb2 2"));
}

TEST_F(AcknowledgementsTest, AreNotSentForWhatWasSentAlready) {
  Acknowledgements acknowledgements = Within(absl::Milliseconds(100));
  for (const uint64_t n : {1u, 2u, 3u}) acknowledgements.Taken(one_, n, 1);
  acknowledgements.Taken(two_, 7, 1);
  RunUntilSent(2);
  EXPECT_THAT(sent_, ElementsAre("lb1 3", "lb2 7"));
}

TEST_F(AcknowledgementsTest, GoToNobodyWhoIsGone) {
  Acknowledgements acknowledgements = Within(absl::Milliseconds(100));
  acknowledgements.Taken(one_, 5, 1);
  acknowledgements.Taken(two_, 1, 1);
  acknowledgements.Forget(one_);
  RunUntilSent(1);
  EXPECT_THAT(sent_, ElementsAre("lb2 1"));
}

TEST_F(AcknowledgementsTest, MayBeSentAtOnce) {
  Acknowledgements acknowledgements = Within(absl::ZeroDuration());
  acknowledgements.Taken(one_, 5, 1);
  EXPECT_THAT(sent_, ElementsAre("lb1 5"));
}

}  // namespace
}  // namespace zcluster::controller
