// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/message_check.h"

#include <gmock/gmock.h>

#include <functional>
#include <limits>
#include <string>

#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster::controller {
namespace {

using ::testing::HasSubstr;

v1::AgentMessage Hello() {
  v1::AgentMessage message;
  message.mutable_hello()->set_pair("web-1");
  message.mutable_hello()->set_node("a");
  message.mutable_hello()->set_journal("j");
  message.mutable_hello()->set_first_event(5);
  message.mutable_hello()->set_last_event(9);
  return message;
}

v1::AgentMessage Report() {
  v1::AgentMessage message;
  v1::GetStatusResponse& status = *message.mutable_report()->mutable_status();
  status.add_not_ready("no peer");
  status.add_nodes()->mutable_age()->set_seconds(3);
  status.add_vips()->set_address("192.0.2.1/24");
  return message;
}

v1::AgentMessage Events() {
  v1::AgentMessage message;
  for (const uint64_t number : {uint64_t{7}, uint64_t{8}}) {
    v1::Event& event = *message.mutable_events()->add_events();
    event.set_number(number);
    event.set_name("promoted");
    event.mutable_at()->set_seconds(1'700'000'000);
    event.add_fields()->set_name("cause");
  }
  return message;
}

v1::AgentMessage Progress() {
  v1::AgentMessage message;
  message.mutable_progress()->set_id(1);
  message.mutable_progress()->mutable_step()->set_what("drained");
  return message;
}

v1::AgentMessage Flows() {
  v1::AgentMessage message;
  message.mutable_flows()->add_flows()->mutable_at()->set_seconds(1);
  return message;
}

v1::AgentMessage Request() {
  v1::AgentMessage message;
  message.mutable_certificate_request()->set_request("PEM");
  return message;
}

TEST(CheckMessage, TakesWhatIsAsItShouldBe) {
  for (const v1::AgentMessage& good :
       {Hello(), Report(), Events(), Progress(), Flows(), Request(), v1::AgentMessage()}) {
    EXPECT_TRUE(CheckMessage(good).ok()) << CheckMessage(good) << good.ShortDebugString();
  }
  v1::AgentMessage empty_journal = Hello();
  empty_journal.mutable_hello()->set_first_event(0);
  empty_journal.mutable_hello()->set_last_event(0);
  EXPECT_TRUE(CheckMessage(empty_journal).ok());
}

struct Case {
  std::string name;
  std::function<v1::AgentMessage()> good;
  std::function<void(v1::AgentMessage&)> spoil;
  std::string says;
};

class RefusesAMessage : public ::testing::TestWithParam<Case> {};

TEST_P(RefusesAMessage, ThatIsSpoilt) {
  v1::AgentMessage message = GetParam().good();
  GetParam().spoil(message);
  const absl::Status status = CheckMessage(message);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
}

const std::string kWord65(65, 'x');
const std::string kLong(4097, 'x');

INSTANTIATE_TEST_SUITE_P(
    Hello, RefusesAMessage,
    ::testing::Values(
        Case{"NoPair", Hello, [](auto& m) { m.mutable_hello()->clear_pair(); },
             "hello.pair: is missing"},
        Case{"NoNode", Hello, [](auto& m) { m.mutable_hello()->clear_node(); },
             "hello.node: is missing"},
        Case{"NoJournal", Hello, [](auto& m) { m.mutable_hello()->clear_journal(); },
             "hello.journal: is missing"},
        Case{"LongNode", Hello, [](auto& m) { m.mutable_hello()->set_node(kWord65); },
             "hello.node: has 65 bytes"},
        Case{"LongVersion", Hello, [](auto& m) { m.mutable_hello()->set_version(kWord65); },
             "hello.version"},
        Case{"JournalBackwards", Hello, [](auto& m) { m.mutable_hello()->set_first_event(10); },
             "no journal holds 10 to 9"},
        Case{"JournalFromNought", Hello, [](auto& m) { m.mutable_hello()->set_first_event(0); },
             "no journal holds"},
        Case{"JournalTooFar", Hello,
             [](auto& m) {
               m.mutable_hello()->set_last_event(std::numeric_limits<uint64_t>::max());
             },
             "no journal holds"}),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Report, RefusesAMessage,
    ::testing::Values(
        Case{"LongText", Report, [](auto& m) { m.mutable_report()->set_pair(kLong); },
             "AgentReport.pair: has 4097 bytes"},
        Case{"LongTextInAList", Report,
             [](auto& m) { m.mutable_report()->mutable_status()->add_not_ready(kLong); },
             "not_ready: has 4097"},
        Case{"LongTextDeepInside", Report,
             [](auto& m) {
               m.mutable_report()->mutable_status()->mutable_nodes(0)->set_message(kLong);
             },
             "Node.message: has 4097"},
        Case{"LongList", Report,
             [](auto& m) {
               for (int i = 0; i < 1000; ++i) m.mutable_report()->mutable_status()->add_vips();
             },
             "vips: has 1001 entries"},
        Case{"NoDuration", Report,
             [](auto& m) {
               m.mutable_report()->mutable_status()->mutable_nodes(0)->mutable_age()->set_seconds(
                   std::numeric_limits<int64_t>::max());
             },
             "is no duration"},
        Case{"NoTime", Flows,
             [](auto& m) { m.mutable_flows()->mutable_flows(0)->mutable_at()->set_nanos(-1); },
             "is no time"}),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Events, RefusesAMessage,
    ::testing::Values(
        Case{"None", Events, [](auto& m) { m.mutable_events()->clear_events(); }, "1 to 256"},
        Case{"TooMany", Events,
             [](auto& m) {
               for (int i = 0; i < 255; ++i) m.mutable_events()->add_events();
             },
             "are 257"},
        Case{"FromNought", Events,
             [](auto& m) {
               m.mutable_events()->mutable_events(0)->set_number(0);
               m.mutable_events()->mutable_events(1)->set_number(1);
             },
             "events.number"},
        Case{"Gap", Events, [](auto& m) { m.mutable_events()->mutable_events(1)->set_number(9); },
             "9 follows 7"},
        Case{"Twice", Events, [](auto& m) { m.mutable_events()->mutable_events(1)->set_number(7); },
             "7 follows 7"},
        Case{"TooFar", Events,
             [](auto& m) {
               m.mutable_events()->mutable_events(0)->set_number(
                   std::numeric_limits<int64_t>::max());
               m.mutable_events()->mutable_events(1)->set_number(uint64_t{1} << 63);
             },
             "events.number"},
        Case{"NoName", Events, [](auto& m) { m.mutable_events()->mutable_events(0)->clear_name(); },
             "events.name: is missing"},
        Case{"NoTime", Events,
             [](auto& m) {
               m.mutable_events()->mutable_events(0)->mutable_at()->set_seconds(
                   std::numeric_limits<int64_t>::max());
             },
             "events.at: is no time"},
        Case{"ManyFields", Events,
             [](auto& m) {
               for (int i = 0; i < 32; ++i) m.mutable_events()->mutable_events(0)->add_fields();
             },
             "are 33"},
        Case{"LongValue", Events,
             [](auto& m) {
               m.mutable_events()->mutable_events(0)->mutable_fields(0)->set_value(
                   std::string(1025, 'x'));
             },
             "events.fields.value: has 1025"}),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Others, RefusesAMessage,
    ::testing::Values(
        Case{"ProgressOfNothing", Progress, [](auto& m) { m.mutable_progress()->clear_id(); },
             "progress.id: is missing"},
        Case{"NoCode", Progress, [](auto& m) { m.mutable_progress()->mutable_end()->set_code(17); },
             "17 is no code"},
        Case{"NegativeCode", Progress,
             [](auto& m) { m.mutable_progress()->mutable_end()->set_code(-1); }, "is no code"},
        Case{"LongStep", Progress,
             [](auto& m) { m.mutable_progress()->mutable_step()->set_what(kLong); },
             "Step.what: has 4097"},
        Case{"NoRequest", Request,
             [](auto& m) { m.mutable_certificate_request()->clear_request(); }, "is missing"},
        Case{"LongRequest", Request,
             [](auto& m) { m.mutable_certificate_request()->set_request(std::string(16385, 'x')); },
             "has 16385"}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace zcluster::controller
