// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/hello.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zcluster::peer {
namespace {

Options NodeB() {
  Options options;
  options.pair = "lab";
  options.node = "b";
  options.peer = "a";
  options.version = "0.2.0";
  options.protocol = 3;
  return options;
}

// What a says when all is well, changed by the case.
struct Case {
  std::string name;
  std::function<void(v1::Hello&)> change;
  std::string certificate;
  absl::StatusCode code;
  std::string says;
};

class ChecksHello : public testing::TestWithParam<Case> {};

TEST_P(ChecksHello, AndSaysWhatIsWrong) {
  Options a = NodeB();
  std::swap(a.node, a.peer);
  v1::Hello hello = MakeHello(a, core::Term{4});
  GetParam().change(hello);
  const absl::Status status = CheckHello(NodeB(), hello, GetParam().certificate);
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr(GetParam().says));
}

constexpr char kA[] = "zcluster://lab/node/a";
constexpr auto kOk = absl::StatusCode::kOk;
constexpr auto kRefused = absl::StatusCode::kFailedPrecondition;
constexpr auto kUnsound = absl::StatusCode::kInvalidArgument;

const Case kCases[] = {
    {"Good", [](v1::Hello&) {}, kA, kOk, ""},
    {"OneProtocolOlder", [](v1::Hello& hello) { hello.set_protocol(2); }, kA, kOk, ""},
    {"OneProtocolNewer", [](v1::Hello& hello) { hello.set_protocol(4); }, kA, kOk, ""},
    {"TwoProtocolsOlder", [](v1::Hello& hello) { hello.set_protocol(1); }, kA, kRefused,
     "a speaks protocol 1 (version 0.2.0), b speaks 3"},
    {"TwoProtocolsNewer", [](v1::Hello& hello) { hello.set_protocol(5); }, kA, kRefused,
     "upgrade the older node"},
    {"AnotherPair", [](v1::Hello& hello) { hello.set_pair("prod"); }, kA, kRefused,
     "a is of the pair 'prod', b of 'lab'"},
    {"AnotherNode", [](v1::Hello& hello) { hello.set_node("c"); }, kA, kRefused,
     "the node calls itself 'c', but the peer of b is 'a'"},
    {"Ourselves", [](v1::Hello& hello) { hello.set_node("b"); }, kA, kRefused, "calls itself 'b'"},
    {"AnothersCertificate", [](v1::Hello&) {}, "zcluster://lab/node/c", kRefused,
     "the certificate is not the one of a"},
    {"NoCertificate", [](v1::Hello&) {}, "", kRefused, "the certificate is not the one of a"},
    {"LongText", [](v1::Hello& hello) { hello.set_version(std::string(300, 'x')); }, kA, kUnsound,
     "longer than 255"},
    {"ControlCharacter", [](v1::Hello& hello) { hello.set_address("\x1b[2J"); }, kA, kUnsound,
     "not printable"},
    {"Empty", [](v1::Hello& hello) { hello.Clear(); }, kA, kRefused, "of the pair ''"},
};

INSTANTIATE_TEST_SUITE_P(Hello, ChecksHello, testing::ValuesIn(kCases),
                         [](const auto& hello) { return hello.param.name; });

TEST(Hello, CarriesTheTerm) {
  EXPECT_EQ(MakeHello(NodeB(), core::Term{12}).term(), 12u);
  EXPECT_EQ(MakeHello(NodeB(), core::Term{12}).node(), "b");
}

}  // namespace
}  // namespace zcluster::peer
