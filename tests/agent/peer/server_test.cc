// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/server.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "zcluster/v1/peer.grpc.pb.h"

namespace zcluster::peer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

absl::StatusOr<std::unique_ptr<grpc::Server>> Start(const std::string& listen,
                                                    int* port = nullptr) {
  static v1::PeerService::CallbackService service;
  return StartServer(listen, grpc::InsecureServerCredentials(), {&service}, port);
}

std::string ErrorOf(const std::string& listen) {
  const auto server = Start(listen);
  return server.ok() ? "it listens" : std::string(server.status().message());
}

TEST(Server, ListensOnAPortOfTheKernelsChoice) {
  int port = 0;
  const auto server = Start("127.0.0.1:0", &port);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_GT(port, 0);
}

TEST(Server, NamesAnAddressThatIsTaken) {
  int port = 0;
  const auto first = Start("127.0.0.1:0", &port);
  ASSERT_TRUE(first.ok());
  const std::string listen = absl::StrCat("127.0.0.1:", port);
  EXPECT_THAT(ErrorOf(listen), AllOf(HasSubstr(absl::StrCat("cannot listen on ", listen)),
                                     HasSubstr("Address already in use")));
}

TEST(Server, NamesAnAddressThatIsNotOurs) {
  EXPECT_THAT(ErrorOf("192.0.2.1:7700"), AllOf(HasSubstr("cannot listen on 192.0.2.1:7700"),
                                               HasSubstr("Cannot assign requested address")));
}

TEST(Server, NamesAnAddressThatIsNone) {
  EXPECT_THAT(ErrorOf("here"), HasSubstr("cannot listen on here"));
  EXPECT_THAT(ErrorOf("300.1.1.1:7700"), HasSubstr("cannot listen on 300.1.1.1:7700"));
}

}  // namespace
}  // namespace zcluster::peer
