// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/reason.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

namespace zcluster::peer {
namespace {

// What gRPC 1.51 said in the case (copied from runs), and what an operator reads.
struct Case {
  std::string name;
  std::string said;
  bool spoke;
  std::string reason;
};

class Explains : public testing::TestWithParam<Case> {};

TEST_P(Explains, InOperatorsWords) {
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE, GetParam().said);
  EXPECT_EQ(Explain(status, "10.0.0.2:7700", GetParam().spoke), GetParam().reason);
}

const Case kCases[] = {
    {"NoAgent",
     "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.1.0.2:7700: Failed to "
     "connect to remote host: Connection refused",
     false, "connection refused by 10.1.0.2:7700 (is zagent running there?)"},
    {"NoAgentOnV6",
     "failed to connect to all addresses; last error: UNKNOWN: ipv6:%5Bfd00::2%5D:7700: Failed to "
     "connect to remote host: Connection refused",
     false, "connection refused by [fd00::2]:7700 (is zagent running there?)"},
    {"NoRoute",
     "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.2:7700: Failed to "
     "connect to remote host: No route to host",
     false, "no route to 10.0.0.2:7700"},
    {"NoAnswer",
     "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.2:7700: tcp handshaker "
     "shutdown",
     false, "no answer from 10.0.0.2:7700"},
    {"NetworkDown",
     "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.2:7700: Network is "
     "unreachable",
     false, "no route to 10.0.0.2:7700"},
    {"NoTls",
     "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.2:7700: Handshake read "
     "failed",
     false, "no answer from 10.0.0.2:7700 to the TLS handshake (does zagent hang there?)"},
    {"WireCut", "keepalive watchdog timeout", true, "no answer from 10.0.0.2:7700"},
    {"WeRefuseIt",
     "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.2:7700: Custom "
     "verification check failed with error: UNAUTHENTICATED: the peer's certificate is self-signed",
     false, "the peer's certificate is self-signed"},
    {"ItRefusesUs",
     "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:10.0.0.2:7700: Socket "
     "closed",
     false,
     "10.0.0.2:7700 closed the connection before a word was said (does it accept our certificate? "
     "its log says why)"},
    {"ItDied", "Socket closed", true,
     "10.0.0.2:7700 closed the connection (did zagent stop there?)"},
    {"ItSaysWhy", "zagent on b stops", true, "zagent on b stops"},
    {"Nothing", "", true, "10.0.0.2:7700 ended the link without a reason"},
};

INSTANTIATE_TEST_SUITE_P(Reason, Explains, testing::ValuesIn(kCases),
                         [](const auto& said) { return said.param.name; });

}  // namespace
}  // namespace zcluster::peer
