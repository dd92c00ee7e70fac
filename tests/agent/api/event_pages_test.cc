// SPDX-License-Identifier: Apache-2.0
// What happened on a node and on its peer, over real connections.
#include "agent/api/event_pages.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "agent/wire/wire.h"
#include "tests/agent/api/node.h"

namespace zcluster::api {
namespace {

// A journal of events e1, e2, … that counts how often it is read.
class FakeJournal : public EventJournal {
 public:
  explicit FakeJournal(uint64_t count) : count_(count) {}
  const std::string& id() const override { return id_; }
  uint64_t first() const override { return count_ == 0 ? 0 : 1; }
  uint64_t last() const override { return count_; }
  void Read(uint64_t after, size_t limit, Answer answer) override {
    ++reads;
    v1::EventBatch batch;
    for (uint64_t number = after + 1; number <= count_ && limit > 0; ++number, --limit) {
      v1::Event& event = *batch.add_events();
      event.set_number(number);
      event.set_name(absl::StrCat("e", number));
    }
    answer(std::move(batch));
  }
  void OnGrown(std::function<void()>) override {}

  int reads = 0;

 private:
  const std::string id_ = "0123456789abcdef0123456789abcdef";
  const uint64_t count_;
};

class EventPagesTest : public testing::Test {
 protected:
  grpc::Status Ask(const Node& node, const v1::EventsRequest& request) {
    grpc::ClientContext call;
    page_.Clear();
    return v1::ClusterService::NewStub(node.LocalChannel())->Events(&call, request, &page_);
  }
  static v1::EventsRequest Request(bool peer, uint64_t after = 0, uint32_t limit = 0) {
    v1::EventsRequest request;
    request.set_peer(peer);
    request.set_after(after);
    request.set_limit(limit);
    return request;
  }
  v1::EventsPage page_;
};

TEST_F(EventPagesTest, GivesOwnEventsFromANumberOn) {
  FakeJournal journal(10);
  Node node;
  node.OnLoop([&] { node.api.ShowEvents(journal); });
  ASSERT_TRUE(Ask(node, Request(false, 3, 2)).ok());
  EXPECT_EQ(page_.node(), "node1");
  EXPECT_EQ(page_.journal(), journal.id());
  EXPECT_EQ(page_.first(), 1u);
  EXPECT_EQ(page_.last(), 10u);
  ASSERT_EQ(page_.events_size(), 2);
  EXPECT_EQ(page_.events(0).name(), "e4");
  EXPECT_FALSE(page_.has_clock_ahead());
}

TEST_F(EventPagesTest, DoesNotReadTheDiskForNothingNew) {
  FakeJournal journal(10);
  Node node;
  node.OnLoop([&] { node.api.ShowEvents(journal); });
  ASSERT_TRUE(Ask(node, Request(false, 10)).ok());
  EXPECT_EQ(page_.events_size(), 0);
  EXPECT_EQ(journal.reads, 0);
}

TEST_F(EventPagesTest, PassesTheQuestionOnToThePeerAndReadsItsClock) {
  FakeJournal journal(3);
  Options options = Node::DefaultOptions();
  std::swap(options.node_name, options.peer_name);
  Node peer(nullptr, options);
  peer.OnLoop([&] { peer.api.ShowEvents(journal); });
  Node node(peer.PeerChannel());
  ASSERT_TRUE(Ask(node, Request(true)).ok());
  EXPECT_EQ(page_.node(), "node2");
  EXPECT_EQ(page_.events_size(), 3);
  // Both have the same clock: it is within what the measurement says of itself.
  EXPECT_LE(absl::AbsDuration(wire::FromProto(page_.clock_ahead())),
            wire::FromProto(page_.clock_uncertainty()));
}

TEST_F(EventPagesTest, SaysThatThePeerCannotBeAsked) {
  Node node(grpc::CreateChannel("127.0.0.1:1", grpc::InsecureChannelCredentials()));
  const grpc::Status status = Ask(node, Request(true));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_NE(status.error_message().find("node2 cannot be asked for its events"), std::string::npos)
      << status.error_message();
}

TEST_F(EventPagesTest, RefusesWhatIsTooMuch) {
  Node node;
  const grpc::Status status = Ask(node, Request(false, 0, 257));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "limit: 257: use 1 to 256");
}

TEST_F(EventPagesTest, APeerIsNotSentOn) {
  Node node;
  grpc::ClientContext call;
  const grpc::Status status = v1::ClusterService::NewStub(node.PeerChannel())
                                  ->Events(&call, Request(/*peer=*/true), &page_);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(ReadClock, IsHalfWayBetween) {
  const absl::Time t = absl::FromUnixSeconds(1000);
  const absl::Duration ms = absl::Milliseconds(1);
  // 2 ms there, 5 ms of thought, 4 ms back; the other clock is 100 ms ahead.
  const ClockReading clock = ReadClock(t, t + 102 * ms, t + 107 * ms, t + 11 * ms);
  EXPECT_EQ(clock.ahead, 99 * ms);
  EXPECT_EQ(clock.uncertainty, 3 * ms);
}

TEST(ReadClock, IsNeverSurerThanSure) {
  const absl::Time t = absl::FromUnixSeconds(1000);
  // Their clock was set back while they thought.
  EXPECT_GE(ReadClock(t, t, t + absl::Hours(1), t).uncertainty, absl::ZeroDuration());
}

}  // namespace
}  // namespace zcluster::api
