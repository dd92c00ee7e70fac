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

#include "agent/lifecycle/change.h"
#include "agent/lifecycle/configuration.h"
#include "agent/lifecycle/configuration_service.h"
#include "common/file.h"
#include "common/loop.h"
#include "common/yaml.h"
#include "tests/support/certificates.h"
#include "tests/support/open_guard.h"

namespace zcluster::lifecycle {

// Stands for the member that runs: what it is and what it would take is the test's word.
class FakeNode : public Node {
 public:
  absl::Status Start(const config::Settings&) override { return absl::OkStatus(); }
  void Check(const config::Settings&, Done done) override { done(check); }
  void Reconfigure(const config::Settings& settings, Done done) override {
    if (use.ok()) used.push_back(settings.pair->generation);
    if (on_use) on_use();
    done(use);
  }
  void EndHeartbeat(const config::Settings&, Done done) override { done(absl::OkStatus()); }
  void End(const config::Settings&, Done done) override { done(absl::OkStatus()); }
  bool running() const override { return true; }
  const config::Settings& settings() const override { return given; }
  void Report(core::Event) override {}
  const core::View& view() const override { return shown; }
  std::shared_ptr<grpc::Channel> peer() const override { return channel; }

  config::Settings given;
  absl::Status check;
  absl::Status use;  // how the running parts take it
  core::View shown;
  std::shared_ptr<grpc::Channel> channel;
  std::vector<uint64_t> used;  // generations, in order
  std::function<void()> on_use;
};

// One node's configuration, on a disk of its own, served to the other over a real connection.
class Side : public PeerQuestions {
 public:
  Side(Loop& loop, const std::string& name, const std::string& other, bool master)
      : loop_(loop), service_(loop, guard_, *this) {
    paths.agent_file = directory_.path() + "/agent.yaml";
    paths.pair_file = directory_.path() + "/pair.yaml";
    node.shown.local.name = name;
    node.shown.local.role = master ? core::Role::kMaster : core::Role::kBackup;
    node.shown.remote.name = other;
    node.shown.remote.role = master ? core::Role::kBackup : core::Role::kMaster;
    node.shown.term = core::Term{1};
    node.shown.link.up = true;
    Write(paths.agent_file, "node: {name: " + name + ", address: 192.0.2." +
                                (name < other ? "1" : "2") + ", interface: eth0}\npeer: {name: " +
                                other + ", address: 192.0.2." + (name < other ? "2" : "1") + "}\n");
    Write(paths.pair_file,
          "name: main\nvrrp: {router_id: 51, advert_interval: 1s}\ngeneration: 1\nterm: 1\n");
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    address = "127.0.0.1:" + std::to_string(port);
  }
  ~Side() override {
    configuration.reset();
    service_.Close();
    server_->Shutdown(std::chrono::system_clock::now());
  }

  // The agent starts, and finds what its disk holds.
  void Boot() {
    configuration.reset();
    auto settings = config::Load(paths.agent_file, paths.pair_file);
    ASSERT_TRUE(settings.ok()) << settings.status();
    auto present =
        config::ReadPairFile(paths.pair_file, *ReadFile(paths.pair_file), settings->agent);
    ASSERT_TRUE(present.ok()) << present.status();
    configuration = std::make_unique<Configuration>(loop_, node, paths, *settings, *present);
  }

  // Its disk, as the other node and the next start read it.
  std::string Disk() const { return ReadFile(paths.pair_file).value_or("(none)"); }
  bool HasProposal() const { return ReadFile(paths.ProposalFile()).ok(); }

  template <typename T>
  bool Refused(const Reply<T>& answer) const {
    if (!deaf) return false;
    answer(absl::UnavailableError("deaf"));
    return true;
  }
  void Propose(const v1::ProposeRequest& request, Reply<v1::ProposeResponse> answer) override {
    if (Refused(answer)) return;
    configuration->Propose(request, [answer](const absl::Status& status) {
      if (!status.ok()) return answer(status);
      answer(v1::ProposeResponse());
    });
  }
  void Commit(const v1::CommitRequest& request, Reply<v1::CommitResponse> answer) override {
    if (before_commit) before_commit();
    if (Refused(answer)) return;
    configuration->Commit(request, [answer](const absl::Status& status) {
      if (!status.ok()) return answer(status);
      answer(v1::CommitResponse());
    });
  }
  void Abandon(const v1::AbandonRequest& request, Reply<v1::AbandonResponse> answer) override {
    const absl::Status status = configuration->Abandon(request);
    if (!status.ok()) return answer(status);
    answer(v1::AbandonResponse());
  }
  void Fetch(const v1::FetchRequest& request, Reply<v1::FetchResponse> answer) override {
    if (Refused(answer)) return;
    answer(configuration->Fetch(request));
  }
  void Outcome(const v1::OutcomeRequest&, Reply<v1::OutcomeResponse> answer) override {
    answer(v1::OutcomeResponse());
  }
  void Leave(const v1::LeaveRequest&, Reply<v1::LeaveResponse> answer) override {
    answer(v1::LeaveResponse());
  }

  FakeNode node;
  Paths paths;
  std::string address;
  std::unique_ptr<Configuration> configuration;
  bool deaf = false;                    // nothing that the peer asks arrives
  std::function<void()> before_commit;  // called when the peer commits

 private:
  static void Write(const std::string& file, const std::string& text) {
    ASSERT_TRUE(WriteFileDurably(file, text, 0644).ok());
  }

  Loop& loop_;
  test::TempDirectory directory_;
  test::OpenGuard guard_;
  ConfigurationService service_;
  std::unique_ptr<grpc::Server> server_;
};

// Two sides that reach each other, lb1 the master.
class TwoSides : public testing::Test {
 protected:
  TwoSides() {
    lb1.node.channel = grpc::CreateChannel(lb2.address, grpc::InsecureChannelCredentials());
    lb2.node.channel = grpc::CreateChannel(lb1.address, grpc::InsecureChannelCredentials());
    lb1.Boot();
    lb2.Boot();
  }

  // Runs the loop until `condition` holds; false if it never did.
  bool RunUntil(const std::function<bool()>& condition) {
    bool held = false;
    const auto look = loop.Every(absl::Milliseconds(2), [&] {
      if (!condition()) return;
      held = true;
      loop.Quit();
    });
    const auto limit = loop.After(absl::Seconds(20), [&] { loop.Quit(); });
    loop.Run();
    return held;
  }

  // Applies on `side` and waits for the end.
  absl::Status Apply(Side& side, const v1::PairConfig& wanted) {
    bool done = false;
    absl::Status end;
    steps.clear();
    side.configuration->Apply(
        wanted, [this](std::string step) { steps.push_back(std::move(step)); },
        [&](const absl::Status& status) {
          end = status;
          done = true;
        });
    EXPECT_TRUE(RunUntil([&] { return done; }));
    return end;
  }

  v1::PairConfig WithVip(const std::string& vip) {
    v1::PairConfig wanted = lb1.configuration->present();
    wanted.add_vips()->set_address(vip);
    return wanted;
  }
  v1::PairConfig WithInterval(int milliseconds) {
    v1::PairConfig wanted = lb1.configuration->present();
    auto& interval = *wanted.mutable_vrrp()->mutable_advert_interval();
    interval.set_seconds(milliseconds / 1000);
    interval.set_nanos(milliseconds % 1000 * 1'000'000);
    return wanted;
  }

  Loop loop;
  Side lb1{loop, "lb1", "lb2", true};
  Side lb2{loop, "lb2", "lb1", false};
  std::vector<std::string> steps;
};

}  // namespace zcluster::lifecycle
