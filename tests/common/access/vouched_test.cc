// SPDX-License-Identifier: Apache-2.0
#include "common/access/vouched.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/access/access.h"
#include "common/access/audit_log.h"
#include "common/access/desk.h"
#include "common/access/local_listener.h"
#include "common/access/server.h"
#include "common/access/unary_answer.h"
#include "common/file.h"
#include "common/pki.h"
#include "tests/support/certificates.h"
#include "tests/support/local_client.h"
#include "tests/support/loop_thread.h"
#include "zcluster/v1/cluster.grpc.pb.h"
#include "zcluster/v1/operator.grpc.pb.h"

namespace zcluster::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const bool kOnlyTls13 = [] {
  tls::RequireTls13();
  return true;
}();

// One method for each right.
class Clusters : public v1::ClusterService::CallbackService {
 public:
  explicit Clusters(Desk& desk) : desk_(desk) {}
  grpc::ServerUnaryReactor* Nodes(grpc::CallbackServerContext* context, const v1::NodesRequest*,
                                  v1::NodesResponse*) override {
    return Answer(context, "zcluster.v1.ClusterService/Nodes");
  }
  grpc::ServerUnaryReactor* Plan(grpc::CallbackServerContext* context, const v1::PlanRequest*,
                                 v1::PlanResponse*) override {
    return Answer(context, "zcluster.v1.ClusterService/Plan");
  }

 private:
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const char* method) {
    auto answer = UnaryAnswer::Make();
    desk_.Ask({*context, method}, answer, [answer] { answer->Give(absl::OkStatus(), [] {}); });
    return answer.get();
  }
  Desk& desk_;
};

class Operators : public v1::OperatorService::CallbackService {
 public:
  explicit Operators(Desk& desk) : desk_(desk) {}
  grpc::ServerUnaryReactor* Revoke(grpc::CallbackServerContext* context,
                                   const v1::RevokeOperatorRequest*,
                                   v1::RevokeOperatorResponse*) override {
    auto answer = UnaryAnswer::Make();
    desk_.Ask({*context, "zcluster.v1.OperatorService/Revoke", "vera"}, answer,
              [answer] { answer->Give(absl::OkStatus(), [] {}); });
    return answer.get();
  }

 private:
  Desk& desk_;
};

class VouchedTest : public testing::Test {
 protected:
  VouchedTest()
      : log_(*AuditLog::Open({directory_.path() + "/audit.log"})),
        access_(*log_),
        desk_(loop_.loop(), access_),
        clusters_(desk_),
        operators_(desk_) {
    tls::Expected anybody;
    anybody.accept = [](const tls::Identity&) { return absl::OkStatus(); };
    const tls::Files own = authority_.Issue("own", {.uri = tls::NodeUri("lab", "a")});
    server_ = *StartServer(access_, {&clusters_, &operators_},
                           {"127.0.0.1:0", tls::ServerCredentials(own, anybody, nullptr)}, &port_);
    listener_ = *LocalListener::Listen(loop_.loop(), access_.local_callers(),
                                       directory_.path() + "/s", "no-such-group");
    loop_.Do([this] { listener_->Serve(server_.get()); });
    access_.SetPair("lab", "b");
    access_.SetOperators(
        {{"vera", Right::kViewer, *pki::CertificateFingerprint(*ReadFile(vera_.certificate))}});
  }
  ~VouchedTest() override {
    loop_.Do([this] { listener_.reset(); });
    desk_.Close();
    server_->Shutdown(std::chrono::system_clock::now());
  }

  std::shared_ptr<grpc::Channel> OverTcp() {
    tls::Expected node;
    node.uri = tls::NodeUri("lab", "a");
    return grpc::CreateChannel(absl::StrCat("127.0.0.1:", port_),
                               tls::ClientCredentials(vera_, node, nullptr));
  }
  std::shared_ptr<grpc::Channel> Within() { return server_->InProcessChannel({}); }

  using Prepare = std::function<void(grpc::ClientContext&)>;
  Prepare For(Caller caller) {
    return [this, caller](grpc::ClientContext& call) { Vouch(caller, access_.seal(), call); };
  }
  static grpc::Status Nodes(const std::shared_ptr<grpc::Channel>& to, const Prepare& prepare) {
    grpc::ClientContext call;
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    prepare(call);
    v1::NodesResponse response;
    return v1::ClusterService::NewStub(to)->Nodes(&call, {}, &response);
  }
  static grpc::Status Plan(const std::shared_ptr<grpc::Channel>& to, const Prepare& prepare) {
    grpc::ClientContext call;
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    prepare(call);
    v1::PlanResponse response;
    return v1::ClusterService::NewStub(to)->Plan(&call, {}, &response);
  }
  static grpc::Status Revoke(const std::shared_ptr<grpc::Channel>& to, const Prepare& prepare) {
    grpc::ClientContext call;
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    prepare(call);
    v1::RevokeOperatorResponse response;
    return v1::OperatorService::NewStub(to)->Revoke(&call, {}, &response);
  }
  std::vector<std::string> Audit() {
    std::vector<std::string> lines;
    absl::Notification read;
    log_->Newest(10, [&](absl::StatusOr<v1::AuditResponse> response) {
      for (const v1::AuditEntry& entry : response->entries())
        lines.push_back(absl::StrCat(entry.who(), " | ", entry.from(), " | ", entry.what(), " | ",
                                     entry.result()));
      read.Notify();
    });
    read.WaitForNotification();
    return lines;
  }

  const test::TempDirectory directory_;
  const test::Authority authority_{directory_.path(), "lab"};
  const tls::Files vera_ = authority_.Issue("vera", {.uri = tls::OperatorUri("lab", "vera")});
  test::LoopThread loop_;
  std::unique_ptr<AuditLog> log_;
  Access access_;
  Desk desk_;
  Clusters clusters_;
  Operators operators_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<LocalListener> listener_;
};

const Caller kAnna{.name = "operator anna (by controller ctl1)",
                   .right = Right::kAdmin,
                   .from = "controller 10.40.0.5"};
const Caller kViewer{.name = "operator vic (by controller ctl1)",
                     .right = Right::kViewer,
                     .from = "controller 10.40.0.5"};
const Caller kNobody{
    .name = "somebody (by controller ctl1)", .right = Right::kNone, .from = "controller 10.40.0.5"};

TEST_F(VouchedTest, ACallFromWithinIsOfWhomTheProcessVouchesFor) {
  EXPECT_TRUE(Nodes(Within(), For(kViewer)).ok());
  EXPECT_TRUE(Revoke(Within(), For(kAnna)).ok());
  EXPECT_THAT(Audit(), ElementsAre("operator anna (by controller ctl1) | controller 10.40.0.5 | "
                                   "OperatorService/Revoke vera | OK"));
}

TEST_F(VouchedTest, TheRightThatIsVouchedForIsTheMost) {
  EXPECT_EQ(Nodes(Within(), For(kNobody)).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Plan(Within(), For(kViewer)).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  const grpc::Status refused = Revoke(Within(), For(kViewer));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(refused.error_message(),
            "operator vic (by controller ctl1) has the right viewer, but "
            "zcluster.v1.OperatorService/Revoke needs admin");
  EXPECT_THAT(Audit(), ElementsAre(HasSubstr("operator vic (by controller ctl1) | controller "
                                             "10.40.0.5 | OperatorService/Revoke | "
                                             "PERMISSION_DENIED")));
}

TEST_F(VouchedTest, NobodyVouchesForAnInProcessCallWithoutTheWholeOfIt) {
  EXPECT_EQ(Nodes(Within(), [](grpc::ClientContext&) {}).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Nodes(Within(), [](grpc::ClientContext& call) { Vouch(kAnna, "", call); }).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Nodes(Within(), [](grpc::ClientContext& call) { Vouch(kAnna, MakeSeal(), call); })
                .error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Nodes(Within(),
                  [this](grpc::ClientContext& call) {
                    call.AddMetadata(kVouchedSeal, access_.seal());
                    call.AddMetadata(kVouchedRight, "admin");
                  })
                .error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Nodes(Within(),
                  [this](grpc::ClientContext& call) {
                    Vouch(kAnna, access_.seal(), call);
                    call.AddMetadata(kVouchedRight, "admin");
                  })
                .error_code(),
            grpc::StatusCode::UNAUTHENTICATED)
      << "said twice, it means nothing";
}

TEST_F(VouchedTest, OverTcpItMeansNothing) {
  EXPECT_TRUE(Nodes(OverTcp(), For(kAnna)).ok());
  const grpc::Status refused = Revoke(OverTcp(), For(kAnna));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(refused.error_message(), HasSubstr("operator vera has the right viewer"));
  EXPECT_THAT(Audit(), ElementsAre(HasSubstr("operator vera | 127.0.0.1 | ")));
}

TEST_F(VouchedTest, OverTheLocalSocketItMeansNothing) {
  const auto local = test::ChannelAs(directory_.path() + "/s", test::kRoot);
  EXPECT_TRUE(Revoke(local, For(kNobody)).ok());
  EXPECT_THAT(Audit(), ElementsAre(HasSubstr("root | local socket, pid ")));
}

TEST(Vouched, SealsAreLongAndDiffer) {
  EXPECT_EQ(MakeSeal().size(), 32U);
  EXPECT_NE(MakeSeal(), MakeSeal());
}

}  // namespace
}  // namespace zcluster::access
