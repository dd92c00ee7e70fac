// SPDX-License-Identifier: Apache-2.0
#include "common/access/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/child.h"
#include "tests/agent/access/house.h"
#include "tests/support/local_client.h"
#include "tests/support/tls_probe.h"
#include "zcluster/v1/cluster.grpc.pb.h"
#include "zcluster/v1/operator.grpc.pb.h"

namespace zcluster::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AccessTest : public testing::Test {
 protected:
  AccessTest() { Admit(Right::kViewer); }

  void Admit(Right right) { house_.access.SetOperators({House::Admitted("vera", right, files_)}); }
  void AdmitNobody() { house_.access.SetOperators({}); }
  std::shared_ptr<grpc::Channel> Dial() { return house_.Dial(house_.operators_port, &files_); }

  static grpc::Status Nodes(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext call;
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::NodesResponse response;
    return v1::ClusterService::NewStub(channel)->Nodes(&call, {}, &response);
  }
  static grpc::Status Unconfigure(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext call;
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::UnconfigureRequest request;
    request.set_local(true);
    const auto reader = v1::ClusterService::NewStub(channel)->Unconfigure(&call, request);
    v1::Step step;
    while (reader->Read(&step)) {
    }
    return reader->Finish();
  }

  House house_;
  const tls::Files files_ = house_.IssueOperator("vera");
};

// An open stream of an operator.
class Watch {
 public:
  explicit Watch(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::ClusterService::NewStub(channel)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    reader_ = stub_->Watch(&context_, {});
  }
  bool Hears() { return reader_->Read(&nodes_); }
  grpc::Status End() {
    while (Hears()) {
    }
    return reader_->Finish();
  }

 private:
  const std::unique_ptr<v1::ClusterService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::NodesResponse>> reader_;
  v1::NodesResponse nodes_;
};

TEST_F(AccessTest, ARevokedOperatorsStreamEnds) {
  Watch watch(Dial());
  ASSERT_TRUE(watch.Hears());
  AdmitNobody();
  const grpc::Status status = watch.End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(status.error_message(), "the right of operator vera was revoked, or is another now");
}

TEST_F(AccessTest, ARevokedOperatorsConnectionIsOfNoUse) {
  const auto channel = Dial();
  ASSERT_TRUE(Nodes(channel).ok());
  AdmitNobody();
  const grpc::Status status = Nodes(channel);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(status.error_message(), HasSubstr("operator vera is not admitted"));
}

TEST_F(AccessTest, ARevokedOperatorDoesNotComeInAgain) {
  AdmitNobody();
  EXPECT_EQ(Nodes(Dial()).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(house_.operator_refusals.Wait(), HasSubstr("operator vera is not admitted"));
}

TEST_F(AccessTest, AnotherRightEndsTheStreamToo) {
  Watch watch(Dial());
  ASSERT_TRUE(watch.Hears());
  Admit(Right::kAdmin);
  EXPECT_EQ(watch.End().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(Unconfigure(Dial()).ok());
}

TEST_F(AccessTest, AListThatLeavesAnOperatorAsItWasCutsNothing) {
  Watch watch(Dial());
  ASSERT_TRUE(watch.Hears());
  house_.access.SetOperators({House::Admitted("vera", Right::kViewer, files_),
                              House::Admitted("otto", Right::kAdmin, files_)});
  core::View view;
  view.local.message = "another";
  house_.Show(view);
  EXPECT_TRUE(watch.Hears());
}

TEST_F(AccessTest, AnOlderCredentialIsRefused) {
  const tls::Files renewed = house_.IssueOperator("vera");
  const auto old = Dial();
  ASSERT_TRUE(Nodes(old).ok());
  house_.access.SetOperators({House::Admitted("vera", Right::kViewer, renewed)});
  EXPECT_EQ(Nodes(old).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Nodes(Dial()).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(house_.operator_refusals.Wait(), HasSubstr("credential of another key"));
  EXPECT_TRUE(Nodes(house_.Dial(house_.operators_port, &renewed)).ok());
}

TEST_F(AccessTest, OutsideOfAPairNoOperatorIsKnown) {
  const auto channel = Dial();
  ASSERT_TRUE(Nodes(channel).ok());
  house_.access.SetPair("", "");
  EXPECT_EQ(Nodes(channel).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Nodes(test::ChannelAs(house_.socket, test::kRoot)).ok());
}

TEST_F(AccessTest, WhatChangesSomethingIsAuditedWithItsCallerAndItsEnd) {
  EXPECT_TRUE(Unconfigure(test::ChannelAs(house_.socket, test::kRoot)).ok());
  EXPECT_THAT(house_.Audit(1), ElementsAre("root | ClusterService/Unconfigure local | OK"));
}

TEST_F(AccessTest, AForbiddenAttemptIsAudited) {
  EXPECT_FALSE(Unconfigure(Dial()).ok());
  EXPECT_THAT(
      house_.Audit(1),
      ElementsAre("operator vera | ClusterService/Unconfigure | PERMISSION_DENIED: operator "
                  "vera has the right viewer, but zcluster.v1.ClusterService/Unconfigure "
                  "needs admin"));
}

TEST_F(AccessTest, AnAttemptOfSomebodyUnknownIsAudited) {
  const auto channel = Dial();
  ASSERT_TRUE(Nodes(channel).ok());
  AdmitNobody();
  EXPECT_FALSE(Unconfigure(channel).ok());
  EXPECT_THAT(house_.Audit(1),
              ElementsAre(HasSubstr("unknown | ClusterService/Unconfigure | UNAUTHENTICATED")));
}

TEST_F(AccessTest, LookingIsNotAudited) {
  EXPECT_TRUE(Nodes(Dial()).ok());
  EXPECT_TRUE(Unconfigure(test::ChannelAs(house_.socket, test::kRoot)).ok());
  EXPECT_EQ(house_.Audit(1).front(), "root | ClusterService/Unconfigure local | OK");
  grpc::ClientContext call;
  v1::AuditResponse response;
  ASSERT_TRUE(v1::OperatorService::NewStub(test::ChannelAs(house_.socket, test::kRoot))
                  ->Audit(&call, {}, &response)
                  .ok());
  EXPECT_EQ(response.entries_size(), 1);
  EXPECT_THAT(response.entries(0).from(), HasSubstr("local socket, pid "));
}

TEST_F(AccessTest, TheOperatorsPortSpeaksTls13Alone) {
  EXPECT_EQ(test::ProbeTls(house_.operators_port, test::TlsVersion::k13, &files_), "TLSv1.3");
  EXPECT_EQ(test::ProbeTls(house_.operators_port, test::TlsVersion::k12, &files_), "refused");
  EXPECT_EQ(test::ProbeTls(house_.operators_port, test::TlsVersion::k13, nullptr), "refused");
}

TEST_F(AccessTest, OpensslsOwnClientFindsTls13Alone) {
  const auto s_client = [this](const std::string& version) {
    return RunProgram({"/usr/bin/openssl", "s_client", version, "-alpn", "h2", "-connect",
                       absl::StrCat("127.0.0.1:", house_.operators_port), "-cert",
                       files_.certificate, "-key", files_.key},
                      "", absl::Seconds(20));
  };
  EXPECT_EQ(s_client("-tls1_3"), absl::OkStatus());
  EXPECT_THAT(std::string(s_client("-tls1_2").message()),
              HasSubstr("New, (NONE), Cipher is (NONE)"));
}

}  // namespace
}  // namespace zcluster::access
