// SPDX-License-Identifier: Apache-2.0
// FlowService/Top too, on a real kernel's table.
#include "agent/conntrack/top.h"

#include <gmock/gmock.h>

#include "tests/agent/conntrack/node.h"
#include "zcluster/v1/flows.grpc.pb.h"

namespace zcluster::conntrack {
namespace {

constexpr absl::Duration kSecond = absl::Seconds(1);

Flow From(const std::string& client, uint16_t port, const std::string& backend, uint32_t id = 1) {
  Flow flow = Natted(1, backend);
  flow.key.source = Ip(client);
  flow.key.source_port = port;
  flow.id = id;
  return flow;
}

std::string AddressOf(const v1::TopRow& row) {
  Address address{};
  std::copy(row.address().begin(), row.address().end(), address.begin());
  char text[INET6_ADDRSTRLEN];
  return ::inet_ntop(row.address().size() == 4 ? AF_INET : AF_INET6, address.data(), text,
                     sizeof text);
}

// "ADDRESS[:PORT] FLOWS", the largest first.
std::vector<std::string> Rows(const v1::TopFlows& top) {
  std::vector<std::string> rows;
  for (const v1::TopRow& row : top.rows()) {
    rows.push_back(absl::StrCat(
        AddressOf(row), row.port() == 0 ? "" : absl::StrCat(":", row.port()), " ", row.flows()));
  }
  return rows;
}

v1::TopFlows Look(Top& top, const std::vector<Flow>& flows, size_t most = 10) {
  for (const Flow& flow : flows) top.Add(flow);
  return top.End(kSecond, most);
}

const std::vector<Flow>& Some() {
  static const auto* const flows = new std::vector<Flow>{
      From("198.51.100.1", 1, "10.1.0.2"), From("198.51.100.2", 1, "10.1.0.2"),
      From("198.51.100.2", 2, "10.1.0.3"), From("198.51.100.2", 3, "10.1.0.3"),
      From("198.51.100.3", 1, "10.1.0.3")};
  return *flows;
}

TEST(Top, IsByClient) {
  Top top(v1::TOP_BY_CLIENT);
  const v1::TopFlows told = Look(top, Some());
  EXPECT_THAT(Rows(told),
              testing::ElementsAre("198.51.100.2 3", "198.51.100.1 1", "198.51.100.3 1"));
  EXPECT_EQ(told.flows(), 5u);
  EXPECT_EQ(told.groups(), 3u);
}

TEST(Top, IsByBackend) {
  Top top(v1::TOP_BY_BACKEND);
  EXPECT_THAT(Rows(Look(top, Some())), testing::ElementsAre("10.1.0.3:8443 3", "10.1.0.2:8443 2"));
}

TEST(Top, IsByService) {
  Top top(v1::TOP_BY_SERVICE);
  EXPECT_THAT(Rows(Look(top, Some())), testing::ElementsAre("192.0.2.10:443 5"));
}

TEST(Top, ShowsNoMoreThanIsWanted) {
  Top top(v1::TOP_BY_CLIENT);
  const v1::TopFlows told = Look(top, Some(), 1);
  EXPECT_EQ(told.rows_size(), 1);
  EXPECT_EQ(told.groups(), 3u);
}

TEST(Top, CountsAsNewWhatWasNotThereBefore) {
  Top top(v1::TOP_BY_CLIENT);
  EXPECT_FALSE(Look(top, Some()).has_new_per_second()) << "all of it is new to whoever looks first";
  EXPECT_EQ(Look(top, Some()).new_per_second(), 0);
  std::vector<Flow> more = Some();
  more.push_back(From("198.51.100.9", 1, "10.1.0.2"));
  more[0].id = 77;  // the same client opened the same connection anew
  const v1::TopFlows told = Look(top, more);
  EXPECT_EQ(told.new_per_second(), 2);
  for (const v1::TopRow& row : told.rows()) {
    const std::string address = AddressOf(row);
    EXPECT_EQ(row.new_per_second(), address == "198.51.100.9" || address == "198.51.100.1")
        << address;
  }
}

TEST(Top, BeginsEachLookAtZero) {
  Top top(v1::TOP_BY_CLIENT);
  Look(top, Some());
  const v1::TopFlows told = Look(top, {});
  EXPECT_EQ(told.flows(), 0u);
  EXPECT_EQ(told.rows_size(), 0);
}

class TopOfANode : public testing::Test {
 protected:
  TopOfANode() {
    pair_.Appoint(pair_.a, 1);
    EXPECT_EQ(Change(pair_.a.netns(), Verb::kCreate, NattedFlows(100)), 0U);
    stub_ = v1::FlowService::NewStub(
        grpc::CreateChannel(pair_.a.address(), grpc::InsecureChannelCredentials()));
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    request_.mutable_interval()->set_seconds(1);
  }

  Pair pair_{{.node_name = "node1", .own_addresses = {}}};
  std::unique_ptr<v1::FlowService::Stub> stub_;
  grpc::ClientContext context_;
  v1::TopFlowsRequest request_;
  v1::TopFlows top_;
};

TEST_F(TopOfANode, IsToldAgainAndAgain) {
  const auto reader = stub_->Top(&context_, request_);
  ASSERT_TRUE(reader->Read(&top_));
  EXPECT_EQ(top_.node(), "node1");
  EXPECT_EQ(top_.flows(), 100u);
  EXPECT_FALSE(top_.has_new_per_second());
  EXPECT_EQ(Change(pair_.a.netns(), Verb::kCreate, NattedFlows(50, "10.1.0.2", 5000)), 0U);
  ASSERT_TRUE(reader->Read(&top_));
  EXPECT_EQ(top_.flows(), 150u);
  EXPECT_GT(top_.new_per_second(), 0);
  context_.TryCancel();
  reader->Finish();
}

TEST_F(TopOfANode, IsOfWhatIsSelected) {
  request_.mutable_filter()->set_port(1024);
  const auto reader = stub_->Top(&context_, request_);
  ASSERT_TRUE(reader->Read(&top_));
  EXPECT_EQ(top_.flows(), 1u);
  context_.TryCancel();
  reader->Finish();
}

TEST_F(TopOfANode, EndsWhenTheAgentStops) {
  const auto reader = stub_->Top(&context_, request_);
  ASSERT_TRUE(reader->Read(&top_));
  pair_.a.Stop();
  while (reader->Read(&top_)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TopOfANode, IsNotToldTooOften) {
  request_.mutable_interval()->set_seconds(0);
  request_.mutable_interval()->set_nanos(1000);
  EXPECT_EQ(stub_->Top(&context_, request_)->Finish().error_message(), "interval: use 1s to 60s");
}

}  // namespace
}  // namespace zcluster::conntrack
