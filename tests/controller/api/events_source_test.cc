// SPDX-License-Identifier: Apache-2.0
#include "controller/api/events_source.h"

#include "tests/controller/api/api_house.h"

namespace zcluster::controller {
namespace {

class EventsTest : public testing::Test, protected ApiHouse {
 protected:
  void Happen(uint64_t first, uint64_t last) {
    Do([&] {
      for (uint64_t n = first; n <= last; n += 200)
        house.hub->OnEvents(house.lb1, House::Batch(n, std::min(last, n + 199)));
    });
  }
  void Begin(const v1::FleetEventsRequest& request) { reader_ = fleet->Events(&call_, request); }
  // Reads `count` events, or all until the end.
  std::vector<uint64_t> Read(size_t count) {
    v1::FleetEvents events;
    while (numbers_.size() < count && reader_->Read(&events)) {
      for (const v1::FleetEvent& event : events.events()) numbers_.push_back(event.number());
    }
    return numbers_;
  }
  static std::vector<uint64_t> Range(uint64_t first, uint64_t last) {
    std::vector<uint64_t> range;
    for (; first <= last; ++first) range.push_back(first);
    return range;
  }

  Context call_;
  std::unique_ptr<grpc::ClientReader<v1::FleetEvents>> reader_;
  std::vector<uint64_t> numbers_;
};

TEST_F(EventsTest, TellsTheNewestOldestFirstAndEnds) {
  Happen(1, 300);
  Begin({});
  EXPECT_EQ(Read(1000), Range(201, 300));
  EXPECT_TRUE(reader_->Finish().ok());
}

TEST_F(EventsTest, TellsThoseBehindANumberOfThosePairs) {
  Happen(1, 50);
  v1::FleetEventsRequest request;
  request.set_after(45);
  request.add_pairs("web-1");
  Begin(request);
  EXPECT_EQ(Read(1000), Range(46, 50));
  Context another;
  request.set_pairs(0, "web-2");
  v1::FleetEvents events;
  const auto none = fleet->Events(&another, request);
  EXPECT_FALSE(none->Read(&events));
  EXPECT_TRUE(none->Finish().ok());
}

TEST_F(EventsTest, GoesOnWithoutGapOrRepeat) {
  Happen(1, 20);
  v1::FleetEventsRequest request;
  request.set_follow(true);
  request.set_limit(10);
  Begin(request);
  EXPECT_EQ(Read(10), Range(11, 20));
  Happen(21, 22);
  EXPECT_EQ(Read(12), Range(11, 22));
  for (uint64_t n = 23; n <= 60; ++n) Happen(n, n);
  EXPECT_EQ(Read(50), Range(11, 60));
}

// Whatever it asked for as a limit: it was cut off, and must miss none.
TEST_F(EventsTest, TellsAFollowerThatComesBackAllThatItMissed) {
  Happen(1, 1500);
  v1::FleetEventsRequest request;
  request.set_follow(true);
  request.set_after(100);
  request.set_limit(10);
  Begin(request);
  EXPECT_EQ(Read(1400), Range(101, 1500));
  Happen(1501, 1510);
  EXPECT_EQ(Read(1410), Range(101, 1510));
}

// It takes nothing while thousands come: it is told them later, from the store.
TEST_F(EventsTest, CatchesASlowFollowerUp) {
  v1::FleetEventsRequest request;
  request.set_follow(true);
  Begin(request);
  ASSERT_TRUE(Wait([this] { return house.hub->figures().watchers == 1; }));
  Happen(1, 20'000);
  EXPECT_EQ(Read(20'000), Range(1, 20'000));
}

// What comes while the history is read is neither lost nor told twice.
TEST_F(EventsTest, ClosesTheSeamBetweenHistoryAndPresent) {
  Happen(1, 5);
  Do([this] { house.store.at_once = false; });
  v1::FleetEventsRequest request;
  request.set_follow(true);
  Begin(request);
  ASSERT_TRUE(Wait([this] { return house.store.waiting() == 1; }));
  Do([this] {
    house.hub->OnEvents(house.lb1, House::Batch(6, 8));
    house.store.Answer(2);  // the history as it was, then the new ones
    house.store.at_once = true;
    house.store.Answer(9);
  });
  Happen(9, 9);
  EXPECT_EQ(Read(9), Range(1, 9));
}

TEST_F(EventsTest, RefusesWhatItCannotAnswer) {
  v1::FleetEventsRequest many;
  many.set_limit(10'001);
  v1::FleetEventsRequest selector;
  selector.set_selector("a b");
  v1::FleetEventsRequest name;
  name.add_pairs("A B");
  for (const v1::FleetEventsRequest& bad : {many, selector, name}) {
    Context context;
    EXPECT_EQ(fleet->Events(&context, bad)->Finish().error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
  v1::FleetEventsRequest nobody;
  nobody.set_selector("env=nothing");
  Context context;
  EXPECT_EQ(fleet->Events(&context, nobody)->Finish().error_code(), grpc::StatusCode::NOT_FOUND)
      << "and not the events of all";
}

}  // namespace
}  // namespace zcluster::controller
