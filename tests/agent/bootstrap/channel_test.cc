// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/channel.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

namespace zcluster::bootstrap {
namespace {

using testing::HasSubstr;

// What gRPC 1.51 said in the case, and what an operator reads.
struct Case {
  std::string name;
  grpc::StatusCode code;
  std::string said;
  absl::StatusCode expected;
  std::string reason;
};

class WhyEndedTest : public testing::TestWithParam<Case> {};

TEST_P(WhyEndedTest, InOperatorsWords) {
  const absl::Status status =
      WhyEnded(grpc::Status(GetParam().code, GetParam().said), "10.0.0.2:7701");
  EXPECT_EQ(status.code(), GetParam().expected);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().reason));
}

constexpr char kLast[] =
    "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.2:7701: ";

const Case kCases[] = {
    {"NoAgent", grpc::StatusCode::UNAVAILABLE,
     std::string(kLast) + "Failed to connect to remote host: Connection refused",
     absl::StatusCode::kUnavailable,
     "connection refused by 10.0.0.2:7701 (is zagent running there, and in no pair?"},
    {"NoRoute", grpc::StatusCode::UNAVAILABLE,
     std::string(kLast) + "Failed to connect to remote host: No route to host",
     absl::StatusCode::kUnavailable, "no route to 10.0.0.2:7701"},
    {"NoAnswer", grpc::StatusCode::UNAVAILABLE, std::string(kLast) + "tcp handshaker shutdown",
     absl::StatusCode::kUnavailable, "no answer from 10.0.0.2:7701"},
    {"NoTls", grpc::StatusCode::UNAVAILABLE, std::string(kLast) + "Handshake read failed",
     absl::StatusCode::kUnavailable, "10.0.0.2:7701 does not speak TLS 1.3 with us"},
    {"Died", grpc::StatusCode::UNAVAILABLE, "Socket closed", absl::StatusCode::kUnavailable,
     "10.0.0.2:7701 closed the connection (did zagent stop there?"},
    {"OtherKey", grpc::StatusCode::UNAVAILABLE,
     std::string(kLast) +
         "Custom verification check failed with error: UNAUTHENTICATED: has the key x, expected y",
     absl::StatusCode::kUnauthenticated, "has the key x, expected y"},
    {"NodesWord", grpc::StatusCode::FAILED_PRECONDITION, "keepalived is missing",
     absl::StatusCode::kFailedPrecondition, "keepalived is missing"},
    {"NodeIsBusy", grpc::StatusCode::UNAVAILABLE, "too many callers at once",
     absl::StatusCode::kUnavailable, "too many callers at once"},
    {"NoWord", grpc::StatusCode::OK, "", absl::StatusCode::kUnavailable,
     "10.0.0.2:7701 ended the join without a reason"},
};

INSTANTIATE_TEST_SUITE_P(Channel, WhyEndedTest, testing::ValuesIn(kCases),
                         [](const auto& said) { return said.param.name; });

}  // namespace
}  // namespace zcluster::bootstrap
