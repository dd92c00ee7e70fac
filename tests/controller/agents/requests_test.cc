// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/requests.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace zcluster::controller {
namespace {

using ::testing::ElementsAre;

class RequestsTest : public ::testing::Test {
 protected:
  Requests::Progress Note(const std::string& name) {
    return [this, name](const v1::RequestProgress& progress) {
      told_.push_back(absl::StrCat(name, progress.has_end() ? " end " : " step",
                                   progress.has_end() ? absl::StrCat(progress.end().code()) : ""));
    };
  }
  static v1::RequestProgress Step(uint64_t id) {
    v1::RequestProgress progress;
    progress.set_id(id);
    progress.mutable_step();
    return progress;
  }

  const absl::Time start_ = absl::FromUnixSeconds(1000);
  std::vector<std::string> told_;
  Requests requests_;
};

TEST_F(RequestsTest, TellWhoAskedAndNobodyElse) {
  requests_.Add(1, Note("one"), start_);
  requests_.Add(2, Note("two"), start_);
  requests_.Tell(Step(2));
  requests_.Tell(Step(3));
  requests_.Tell(Requests::EndOf(2, absl::OkStatus()));
  requests_.Tell(Step(2));
  EXPECT_THAT(told_, ElementsAre("two step", "two end 0"));
}

TEST_F(RequestsTest, EndOnlyThoseOfWhichNothingWasHeard) {
  requests_.Add(1, Note("old"), start_);
  requests_.Add(2, Note("heard"), start_);
  requests_.Add(3, Note("new"), start_ + absl::Seconds(9));
  requests_.Tell(Step(2));
  requests_.EndUnheard(start_ + absl::Seconds(1), absl::DeadlineExceededError("stuck"));
  EXPECT_THAT(told_, ElementsAre("heard step", "old end 4"));
  requests_.EndAll(absl::UnavailableError("gone"));
  EXPECT_THAT(told_, ElementsAre("heard step", "old end 4", "heard end 14", "new end 14"));
  EXPECT_TRUE(requests_.empty());
}

TEST_F(RequestsTest, BearTheirOwnEndWhileTheyTell) {
  auto owned = std::make_unique<Requests>();
  Requests* const requests = owned.get();
  requests->Add(
      1, [&](const v1::RequestProgress&) { owned.reset(); }, start_);
  requests->Tell(Step(1));
  EXPECT_EQ(owned, nullptr);
}

TEST_F(RequestsTest, AreFull) {
  for (uint64_t id = 1; id <= Requests::kMost; ++id) {
    EXPECT_FALSE(requests_.full());
    requests_.Add(id, Note("x"), start_);
  }
  EXPECT_TRUE(requests_.full());
}

}  // namespace
}  // namespace zcluster::controller
