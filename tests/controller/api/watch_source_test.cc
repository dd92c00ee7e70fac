// SPDX-License-Identifier: Apache-2.0
#include "controller/api/watch_source.h"

#include "tests/controller/api/api_house.h"

namespace zcluster::controller {
namespace {

class WatchTest : public testing::Test, protected ApiHouse {
 protected:
  void Begin(const std::string& selector = "") {
    v1::WatchPairsRequest request;
    request.set_selector(selector);
    reader_ = fleet->Watch(&call_, request);
  }
  // Reads on, into the picture of whoever watches, until it is so.
  bool ReadUntil(const std::function<bool()>& holds) {
    while (!holds()) {
      v1::PairChanges changes;
      if (!reader_->Read(&changes)) return false;
      ++messages_;
      for (const v1::PairSummary& pair : changes.pairs()) seen_[pair.name()] = pair;
      for (const std::string& name : changes.gone()) seen_.erase(name);
      complete_ += changes.complete() ? 1 : 0;
    }
    return true;
  }

  Context call_;
  std::unique_ptr<grpc::ClientReader<v1::PairChanges>> reader_;
  std::map<std::string, v1::PairSummary> seen_;
  int complete_ = 0;
  int messages_ = 0;
};

TEST_F(WatchTest, TellsWhatThereIsThenWhatChanges) {
  Begin();
  ASSERT_TRUE(ReadUntil([this] { return complete_ == 1; }));
  EXPECT_EQ(seen_["web-1"].status(), v1::STATUS_GREEN);
  Do([this] { house.Leave(house.lb2); });
  ASSERT_TRUE(ReadUntil([this] { return seen_["web-1"].status() == v1::STATUS_GREY; }));
  EXPECT_EQ(complete_, 1);
  call_.TryCancel();
  EXPECT_TRUE(Wait([this] { return house.hub->figures().watchers == 0; }));
}

TEST_F(WatchTest, SaysThatAnEmptyFleetIsComplete) {
  Begin("env=nothing");
  ASSERT_TRUE(ReadUntil([this] { return complete_ == 1; }));
  EXPECT_TRUE(seen_.empty());
}

TEST_F(WatchTest, TellsWhoMatchesNoLongerAndWhoDoesNow) {
  Begin("env=prod");
  ASSERT_TRUE(ReadUntil([this] { return complete_ == 1; }));
  const auto label = [this](const std::string& value) {
    v1::LabelPairRequest request;
    request.set_pair("web-1");
    (*request.mutable_set())["env"] = value;
    Do([&] { house.hub->Label(request, [](const auto&) {}); });
  };
  label("test");
  ASSERT_TRUE(ReadUntil([this] { return seen_.empty(); }));
  label("prod");
  ASSERT_TRUE(ReadUntil([this] { return seen_.size() == 1; }));
  v1::ForgetPairRequest forget;
  forget.set_pair("web-1");
  Do([&] { house.hub->Forget(forget, [](const auto&) {}); });
  ASSERT_TRUE(ReadUntil([this] { return seen_.empty(); }));
}

TEST_F(WatchTest, TellsASlowClientTheLatestAndNotEach) {
  Begin();
  ASSERT_TRUE(ReadUntil([this] { return complete_ == 1; }));
  messages_ = 0;
  for (uint64_t term = 10; term <= 3000; ++term) {
    Do([&] {
      v1::AgentReport report = Says("lb1", v1::ROLE_MASTER, "lb2", v1::ROLE_BACKUP);
      report.mutable_status()->set_term(term);
      house.hub->OnReport(house.lb1, report);
    });
  }
  ASSERT_TRUE(ReadUntil([this] { return seen_["web-1"].term() == 3000; }));
  EXPECT_LT(messages_, 300);
}

TEST_F(WatchTest, RefusesABadSelector) {
  Begin("a b");
  EXPECT_FALSE(ReadUntil([] { return false; }));
  EXPECT_EQ(reader_->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(WatchTest, EndsWithTheController) {
  Begin();
  ASSERT_TRUE(ReadUntil([this] { return complete_ == 1; }));
  Stop();
  EXPECT_FALSE(ReadUntil([] { return false; }));
  EXPECT_EQ(reader_->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(WatchTest, EndsWhenTheRightIsRevoked) {
  Begin();
  ASSERT_TRUE(ReadUntil([this] { return complete_ == 1; }));
  guard.Revoke(absl::PermissionDeniedError("revoked"));
  EXPECT_FALSE(ReadUntil([] { return false; }));
  EXPECT_EQ(reader_->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

}  // namespace
}  // namespace zcluster::controller
