// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/renewal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/identity.h"
#include "common/pki.h"
#include "tests/agent/controller_link/node.h"

namespace zcluster::controller_link {
namespace {

constexpr char kUri[] = "zcluster://fleet/agent/lab/lb1";

class RenewalTest : public testing::Test {
 protected:
  void Connect(absl::Duration lifetime) {
    node_.Enrolled(lifetime);
    node_.Start();
    stream_ = fleet_.AwaitAgent();
    ASSERT_NE(stream_, nullptr) << node_.State().ShortDebugString();
  }
  std::string Present() { return identity::Load(node_.identity_dir())->certificate; }
  bool AwaitChange(const std::string& from, absl::Duration patience = kPatience) {
    const absl::Time since = absl::Now();
    node_.Await([&](const auto&) { return Present() != from || absl::Now() - since > patience; });
    return Present() != from;
  }
  std::string AwaitRequest() {
    const auto message = stream_->Await(v1::AgentMessage::kCertificateRequest);
    return message ? message->certificate_request().request() : "";
  }
  void Answer(const std::string& certificate, const std::string& ca,
              const std::string& problem = "") {
    v1::ControllerMessage message;
    message.mutable_certificate()->set_certificate(certificate);
    message.mutable_certificate()->set_ca_certificate(ca);
    message.mutable_certificate()->set_problem(problem);
    stream_->Send(message);
  }

  Fleet fleet_;
  Node node_{fleet_};
  std::shared_ptr<Served> stream_;
};

TEST_F(RenewalTest, ANewKeyAndCertificateComeOverTheLiveStream) {
  Connect(absl::Seconds(6));
  const std::string before = Present();
  const absl::Time began = absl::Now();
  const std::string request = AwaitRequest();
  ASSERT_FALSE(request.empty());
  EXPECT_GE(absl::Now() - began, absl::Seconds(2)) << "not before two thirds have passed";
  Answer(fleet_.Sign(request, kUri, absl::Hours(1)), fleet_.ca());
  ASSERT_TRUE(AwaitChange(before));
  const auto now = identity::Load(node_.identity_dir());
  EXPECT_EQ(*pki::KeyFingerprint(now->key), *pki::RequestFingerprint(request));
  EXPECT_NE(*pki::CertificateFingerprint(before), *pki::CertificateFingerprint(now->certificate));
  EXPECT_TRUE(node_.State().connected());
  EXPECT_EQ(fleet_.streams(), 1) << "the stream was not cut";
  stream_->End({grpc::StatusCode::UNAVAILABLE, "bye"});
  EXPECT_NE(fleet_.AwaitAgent(), nullptr) << "and the new one serves the next";
}

TEST_F(RenewalTest, AYoungCertificateIsLeftAlone) {
  Connect(absl::Hours(1));
  EXPECT_FALSE(stream_->Await(v1::AgentMessage::kCertificateRequest, absl::Seconds(3)));
}

TEST_F(RenewalTest, WhatWasNotAskedForIsNotTaken) {
  Connect(absl::Hours(1));
  const std::string before = Present();
  const std::string request = *pki::MakeRequest(*pki::MakeKey(), kUri);
  Answer(fleet_.Sign(request, kUri, absl::Hours(9)), fleet_.ca());
  EXPECT_FALSE(AwaitChange(before, absl::Seconds(1)));
  EXPECT_TRUE(node_.State().connected());
}

TEST_F(RenewalTest, ACertificateForSomebodyElseIsRefusedAndAskedForAgain) {
  Connect(absl::Seconds(10));
  const std::string before = Present();
  std::string request = AwaitRequest();
  Answer(fleet_.Sign(request, "zcluster://fleet/agent/lab/lb2", absl::Hours(1)), fleet_.ca());
  request = AwaitRequest();
  ASSERT_FALSE(request.empty());
  EXPECT_EQ(Present(), before);
  Answer("", "", "the disk is full");
  request = AwaitRequest();
  ASSERT_FALSE(request.empty());
  Answer(fleet_.Sign(request, kUri, absl::Hours(1)), fleet_.ca());
  EXPECT_TRUE(AwaitChange(before));
}

TEST_F(RenewalTest, AnotherCaCannotTakeTheNodeOver) {
  Connect(absl::Seconds(6));
  const std::string before = Present();
  const Fleet other("fleet");
  const std::string request = AwaitRequest();
  ASSERT_FALSE(request.empty());
  Answer(other.Sign(request, kUri, absl::Hours(1)), other.ca());
  EXPECT_FALSE(AwaitChange(before, absl::Seconds(1)));
}

}  // namespace
}  // namespace zcluster::controller_link
