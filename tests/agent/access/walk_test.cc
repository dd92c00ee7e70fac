// SPDX-License-Identifier: Apache-2.0
// Tries every method of every service as everybody, over the real servers, and holds what happens
// to the table.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/access.h"
#include "tests/agent/access/house.h"
#include "tests/support/local_client.h"
#include "zcluster/v1/controller_config.pb.h"
#include "zcluster/v1/enrolment.pb.h"
#include "zcluster/v1/fleet.pb.h"
#include "zcluster/v1/fleet_link.pb.h"
#include "zcluster/v1/journal.pb.h"

namespace zcluster::access {
namespace {

// All methods of our protos.
std::set<std::string> MethodsOfOurProtos() {
  std::set<std::string> methods;
  // Uses the files, so that they are linked.
  v1::Journal::descriptor();
  v1::ControllerConfig::descriptor();
  v1::EnrolRequest::descriptor();
  v1::FleetTokenRequest::descriptor();
  v1::AgentMessage::descriptor();
  for (const auto& file : std::filesystem::directory_iterator(ZC_SOURCE "/proto/zcluster/v1")) {
    const std::string name = "zcluster/v1/" + file.path().filename().string();
    const auto* proto = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    if (proto == nullptr) {
      ADD_FAILURE() << name << " is not linked into this test";
      continue;
    }
    for (int s = 0; s < proto->service_count(); ++s) {
      for (int m = 0; m < proto->service(s)->method_count(); ++m) {
        methods.insert(absl::StrCat(proto->service(s)->full_name(), "/",
                                    proto->service(s)->method(m)->name()));
      }
    }
  }
  return methods;
}

TEST(Walk, EveryMethodOfEveryServiceHasARule) {
  const std::set<std::string> methods = MethodsOfOurProtos();
  EXPECT_GE(methods.size(), 30u);
  for (const std::string& method : methods) EXPECT_NE(Find(method), nullptr) << method;
}

TEST(Walk, EveryRuleIsForAMethodThatExists) {
  const std::set<std::string> methods = MethodsOfOurProtos();
  for (const Rule& rule : Table()) {
    if (!absl::StartsWith(rule.method, "zcluster.")) continue;
    EXPECT_EQ(methods.count(std::string(rule.method)), 1u) << rule.method;
  }
}

// What became of a call.
enum class Fate { kReached, kRefused, kNotThere, kNoConnection };

void PrintTo(Fate fate, std::ostream* out) {
  const char* const words[] = {"reached", "refused", "not there", "no connection"};
  *out << words[static_cast<int>(fate)];
}

// Whether the channel has a connection, or cannot have one.
bool Connects(const std::shared_ptr<grpc::Channel>& channel) {
  const auto deadline = std::chrono::system_clock::now() + std::chrono::seconds(20);
  for (;;) {
    const grpc_connectivity_state state = channel->GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) return true;
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) return false;
    if (!channel->WaitForStateChange(state, deadline)) return false;
  }
}

// Calls with one empty message, and hears at most one.
class Attempt {
 public:
  Attempt(const std::shared_ptr<grpc::Channel>& channel, absl::string_view method) {
    // A stream on which nothing happens is open until its deadline.
    const bool silent = method == "zcluster.v1.FlowService/Watch";
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(silent ? 1 : 20));
    grpc::GenericStub stub(channel);
    const auto call = stub.PrepareCall(&context_, absl::StrCat("/", method), &queue_);
    call->StartCall(nullptr);
    bool alive = Done();
    grpc::Slice nothing;
    if (alive) {
      call->WriteLast(grpc::ByteBuffer(&nothing, 1), grpc::WriteOptions(), nullptr);
      alive = Done();
    }
    grpc::ByteBuffer answer;
    call->Read(&answer, nullptr);
    answered_ = Done();
    if (answered_) context_.TryCancel();
    call->Finish(&status_, nullptr);
    Done();
  }

  Fate fate(bool connects) const {
    if (answered_) return Fate::kReached;
    switch (status_.error_code()) {
      case grpc::StatusCode::PERMISSION_DENIED:
      case grpc::StatusCode::UNAUTHENTICATED:
        return Fate::kRefused;
      case grpc::StatusCode::UNIMPLEMENTED:
        return Fate::kNotThere;
      case grpc::StatusCode::UNAVAILABLE:
        return connects ? Fate::kReached : Fate::kNoConnection;
      default:
        return Fate::kReached;
    }
  }
  std::string status() const {
    return absl::StrCat(status_.error_code(), " ", status_.error_message());
  }

 private:
  bool Done() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  grpc::Status status_;
  bool answered_ = false;
};

bool IsOneOf(absl::string_view method, std::initializer_list<absl::string_view> services) {
  for (absl::string_view service : services) {
    if (absl::StartsWith(method, absl::StrCat(service, "/"))) return true;
  }
  return false;
}

// What operators' doors lead to.
bool IsForOperators(absl::string_view method) {
  return method != "zcluster.v1.CommandService/Replicate" &&
         IsOneOf(method, {"zcluster.v1.ClusterService", "zcluster.v1.MaintenanceService",
                          "zcluster.v1.CommandService", "zcluster.v1.NodeService",
                          "zcluster.v1.OperatorService", "zcluster.v1.FlowService",
                          "zcluster.v1.ConflictService", "grpc.health.v1.Health",
                          "grpc.reflection.v1alpha.ServerReflection"});
}

bool Suffices(Right right, For who) {
  switch (who) {
    case For::kViewer:
      return right >= Right::kViewer;
    case For::kOperator:
      return right >= Right::kOperator;
    case For::kAdmin:
      return right >= Right::kAdmin;
    case For::kPeer:
    case For::kBootstrap:
    case For::kAgent:
    case For::kEnrolment:
      return false;
  }
  return false;
}

class WalkTest : public testing::Test {
 protected:
  WalkTest() {
    house_.access.SetOperators({House::Admitted("vera", Right::kViewer, viewer_),
                                House::Admitted("otto", Right::kOperator, operator_),
                                House::Admitted("anna", Right::kAdmin, admin_)});
  }

  // Walks all methods; each must meet the fate that `expected` says.
  template <typename Expected>
  void Walk(const std::shared_ptr<grpc::Channel>& channel, const Expected& expected) {
    Walk(channel, Connects(channel), expected);
  }
  template <typename Expected>
  void Walk(const std::shared_ptr<grpc::Channel>& channel, bool connects,
            const Expected& expected) {
    std::set<std::string> methods = MethodsOfOurProtos();
    for (const Rule& rule : Table()) methods.emplace(rule.method);
    for (const std::string& method : methods) {
      const Attempt attempt(channel, method);
      EXPECT_EQ(attempt.fate(connects), expected(*Find(method)))
          << method << ": " << attempt.status();
    }
  }

  static auto AsOperator(Right right) {
    return [right](const Rule& rule) {
      if (!IsForOperators(rule.method)) return Fate::kNotThere;
      return Suffices(right, rule.who) ? Fate::kReached : Fate::kRefused;
    };
  }
  void WalkAsOperator(const tls::Files& files, Right right) {
    Walk(house_.Dial(house_.operators_port, &files), AsOperator(right));
  }
  // A connection that was made before says nothing of its state.
  void WalkAsUser(const test::User& user, Right right) {
    Walk(test::ChannelAs(house_.socket, user), /*connects=*/true, AsOperator(right));
  }
  void WalkInVain(const std::shared_ptr<grpc::Channel>& channel) {
    Walk(channel, [](const Rule&) { return Fate::kNoConnection; });
  }

  House house_;
  const tls::Files viewer_ = house_.IssueOperator("vera");
  const tls::Files operator_ = house_.IssueOperator("otto");
  const tls::Files admin_ = house_.IssueOperator("anna");
  const tls::Files peer_ = house_.Issue(tls::NodeUri("lab", "node1"));
};

TEST_F(WalkTest, AViewerMayLook) { WalkAsOperator(viewer_, Right::kViewer); }

TEST_F(WalkTest, AnOperatorMaySteer) { WalkAsOperator(operator_, Right::kOperator); }

TEST_F(WalkTest, AnAdminMayChange) { WalkAsOperator(admin_, Right::kAdmin); }

TEST_F(WalkTest, RootOnTheSocketIsAdmin) { WalkAsUser(test::kRoot, Right::kAdmin); }

TEST_F(WalkTest, AMemberOfTheGroupIsOperator) { WalkAsUser(test::kMember, Right::kOperator); }

TEST_F(WalkTest, AnotherUserCannotConnect) {
  EXPECT_TRUE(absl::IsPermissionDenied(test::ConnectAs(house_.socket, test::kStranger).status()));
}

TEST_F(WalkTest, AnotherUserReachesNothingEvenIfTheSocketIsOpenToAll) {
  ASSERT_EQ(::chmod(house_.socket.c_str(), 0666), 0);
  Walk(test::ChannelAs(house_.socket, test::kStranger), /*connects=*/false,
       [](const Rule&) { return Fate::kNoConnection; });
}

TEST_F(WalkTest, ThePeerReachesWhatIsForThePeer) {
  Walk(house_.Dial(house_.peer_port, &peer_), [](const Rule& rule) {
    return rule.who == For::kPeer || rule.peer_too ? Fate::kReached : Fate::kNotThere;
  });
}

TEST_F(WalkTest, ThePeerIsNoOperator) {
  WalkInVain(house_.Dial(house_.operators_port, &peer_));
  EXPECT_THAT(house_.operator_refusals.Wait(),
              testing::HasSubstr("is for zcluster://lab/node/node1, expected an operator"));
}

TEST_F(WalkTest, AnAdminIsNotThePeer) {
  WalkInVain(house_.Dial(house_.peer_port, &admin_));
  EXPECT_THAT(house_.peer_refusals.Wait(),
              testing::HasSubstr("is for zcluster://lab/operator/anna, expected"));
}

TEST_F(WalkTest, WithoutACertificateThereIsNothing) {
  WalkInVain(house_.Dial(house_.operators_port, nullptr));
  WalkInVain(house_.Dial(house_.peer_port, nullptr));
}

TEST_F(WalkTest, AnotherPairsCertificatesOpenNothing) {
  const tls::Files same_name = house_.IssueElsewhere(tls::OperatorUri("lab", "anna"));
  WalkInVain(house_.Dial(house_.operators_port, &same_name));
  EXPECT_THAT(house_.operator_refusals.Wait(),
              testing::HasSubstr("is not signed by the pair's CA"));
  const tls::Files other_name = house_.Issue(tls::OperatorUri("other", "anna"));
  WalkInVain(house_.Dial(house_.operators_port, &other_name));
  const tls::Files other_node = house_.IssueElsewhere(tls::NodeUri("lab", "node1"));
  WalkInVain(house_.Dial(house_.peer_port, &other_node));
}

}  // namespace
}  // namespace zcluster::access
