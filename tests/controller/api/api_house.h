// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "controller/api/api.h"
#include "tests/controller/core/said.h"
#include "tests/controller/hub/house.h"
#include "tests/support/loop_thread.h"
#include "tests/support/open_guard.h"
#include "zcluster/v1/fleet.grpc.pb.h"
#include "zcluster/v1/operator.grpc.pb.h"

namespace zcluster::controller {

// A deadline that only a broken product reaches.
constexpr absl::Duration kForEver = absl::Seconds(20);

class FakeEnrolment : public Enrolment {
 public:
  Wanted wanted;
  int port() const override { return 0; }
  void MakeToken(Wanted asked, std::function<void(absl::StatusOr<Made>)> done) override {
    wanted = asked;
    if (asked.lifetime < absl::Seconds(10))
      return done(absl::OutOfRangeError("lifetime: 10s to 720h"));
    done(Made{"zf1.secret", absl::FromUnixSeconds(1'800'000'000)});
  }
};

class FakeAudit : public AuditTrail {
 public:
  void Append(v1::AuditEntry) override {}
  void Newest(size_t limit, Answer answer) override {
    v1::AuditResponse response;
    for (size_t i = 0; i < limit; ++i) response.add_entries();
    answer(std::move(response));
  }
};

// A controller's API: real servers and clients before a real hub, whose store and agents the test
// plays. What is in `house` is touched on the loop.
class ApiHouse {
 public:
  ApiHouse() : hub_options_(House::DefaultOptions()) {
    hub_options_.max_agents = 10'000;
    Do([this] {
      house.hub =
          std::make_unique<Hub>(thread_.loop(), hub_options_, house.store,
                                Signer{[this](const std::string& request, const pki::Terms& terms) {
                                         return pki::Sign(request, house.ca, house.ca_key, terms);
                                       },
                                       [this] { return house.ca; }, absl::Hours(24)},
                                [](auto) {});
      house.hub->SetAgents(&house.agents);
      house.agents.listener = house.hub.get();
      house.ConnectBoth();
    });
    api_ = std::make_unique<Api>(thread_.loop(), *house.hub, enrolment, guard, audit);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    for (grpc::Service* service : api_->services()) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                   grpc::InsecureChannelCredentials());
    fleet = v1::FleetService::NewStub(channel_);
    operators = v1::OperatorService::NewStub(channel_);
  }
  ~ApiHouse() {
    Stop();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
    Do([this] {
      house.agents.asked.clear();  // as streams that end let go of whoever asked
      api_.reset();
      house.hub.reset();
    });
  }
  void Stop() {
    Do([this] { api_->Stop(); });
  }
  void Do(const std::function<void()>& task) { thread_.Do(task); }
  // A pair of one node. On the loop.
  void MakePair(const std::string& name) {
    TokenRecord token;
    token.hash = name;
    token.expires = absl::Now() + absl::Hours(1);
    house.hub->Keep(token, [](const absl::Status&) {});
    const std::string& key = house.ca_key;
    house.hub->Enrol({name,
                      {name, "n1"},
                      "SHA256:n1",
                      "SHA256:ca",
                      *pki::MakeRequest(key, "zcluster://x"),
                      "0.1.0",
                      "192.0.2.9"},
                     [](const auto& enrolled) { ASSERT_TRUE(enrolled.ok()) << enrolled.status(); });
  }
  // Waits until it holds on the loop.
  bool Wait(const std::function<bool()>& holds) {
    const absl::Time end = absl::Now() + kForEver;
    while (absl::Now() < end) {
      bool yes = false;
      Do([&] { yes = holds(); });
      if (yes) return true;
    }
    return false;
  }

  House house;
  FakeEnrolment enrolment;
  FakeAudit audit;
  test::OpenGuard guard;
  std::unique_ptr<v1::FleetService::Stub> fleet;
  std::unique_ptr<v1::OperatorService::Stub> operators;

 private:
  Hub::Options hub_options_;
  test::LoopThread thread_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

// A call with a deadline.
struct Context : grpc::ClientContext {
  Context() { set_deadline(std::chrono::system_clock::now() + absl::ToChronoSeconds(kForEver)); }
};

}  // namespace zcluster::controller
