// SPDX-License-Identifier: Apache-2.0
#include "tests/agent/peer/pair.h"

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"

namespace zcluster::peer {
namespace {

// Before the first use of gRPC, as main() does it.
const bool kOnlyTls13 = [] {
  tls::RequireTls13();
  return true;
}();

}  // namespace

void Recorder::Report(core::Event event) {
  absl::MutexLock lock(&mutex_);
  events_.push_back(std::move(event));
  more_.SignalAll();
}

std::string Recorder::Reason(const std::string& part) {
  const auto found = Next<core::PeerDisconnected>([&](const core::PeerDisconnected& event) {
    return event.reason.find(part) != std::string::npos;
  });
  if (found.has_value()) return found->reason;
  std::string all = "seen:";
  absl::MutexLock lock(&mutex_);
  for (const core::Event& event : events_) {
    if (const auto* down = std::get_if<core::PeerDisconnected>(&event)) {
      absl::StrAppend(&all, "\n  down: ", down->reason);
    } else if (std::holds_alternative<core::PeerConnected>(event)) {
      absl::StrAppend(&all, "\n  up");
    }
  }
  return all;
}

size_t Recorder::Count() {
  absl::MutexLock lock(&mutex_);
  return events_.size();
}

Agent::Agent(Options options, const tls::Files& files, const std::string& listen,
             const std::vector<std::string>& peer_addresses) {
  const tls::Expected peer{tls::NodeUri(options.pair, options.peer)};
  const auto refused = [this](const std::string& reason) { link_->Refused(reason); };
  std::shared_ptr<grpc::Channel> channel;
  if (!peer_addresses.empty()) {
    channel = MakeChannel(peer_addresses, tls::ClientCredentials(files, peer, refused));
  }
  link_ = std::make_unique<PeerLink>(loop_, std::move(options), channel);
  auto server = StartServer(listen, tls::ServerCredentials(files, peer, refused),
                            {&link_->service()}, &port_);
  EXPECT_EQ(server.status(), absl::OkStatus());
  if (server.ok()) server_ = *std::move(server);
  thread_ = std::thread([this] { loop_.Run(); });
}

Agent::~Agent() {
  Stop();
  loop_.Quit();
  thread_.join();
}

void Agent::OnLoop(std::function<void()> task) {
  absl::Notification done;
  loop_.Post([&] {
    task();
    done.Notify();
  });
  done.WaitForNotification();
}

void Agent::Start() {
  OnLoop([this] { EXPECT_EQ(link_->Start(events), absl::OkStatus()); });
}

void Agent::Do(core::Action action) {
  OnLoop([this, action = std::move(action)] { link_->Perform(action); });
}

void Agent::Tell(core::NodeState state) {
  OnLoop([&] { link_->Perform(core::SendState{std::move(state)}); });
}

void Agent::Hang(absl::Duration duration) {
  loop_.Post([duration] { absl::SleepFor(duration); });
}

void Agent::Stop() {
  if (server_ == nullptr) return;
  OnLoop([this] { link_->Stop(); });
  server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

Options PairTest::OptionsOf(const std::string& node, int peer_port) {
  Options options;
  options.pair = "lab";
  options.node = node;
  options.address = "127.0.0.1";
  options.peer = node == "a" ? "b" : "a";
  options.peer_address = Loopback(peer_port);
  options.version = "0.1.0";
  return options;
}

std::string PairTest::Uri(const std::string& node) { return tls::NodeUri("lab", node); }

std::string PairTest::Loopback(int port) { return absl::StrCat("127.0.0.1:", port); }

tls::Files PairTest::Files(const std::string& node) {
  return authority_.Issue(node, {.uri = Uri(node)});
}

std::unique_ptr<Agent> PairTest::MakeB(const std::string& listen) {
  return std::make_unique<Agent>(OptionsOf("b"), Files("b"), listen, std::vector<std::string>{});
}

std::unique_ptr<Agent> PairTest::MakeA(int port_of_b) {
  return std::make_unique<Agent>(OptionsOf("a", port_of_b), Files("a"), "127.0.0.1:0",
                                 std::vector<std::string>{Loopback(port_of_b)});
}

void PairTest::Connect() {
  b_ = MakeB();
  a_ = MakeA(b_->port());
  b_->Start();
  a_->Start();
  ASSERT_TRUE(a_->events.Next<core::PeerConnected>().has_value()) << a_->events.Reason("none");
  ASSERT_TRUE(b_->events.Next<core::PeerConnected>().has_value()) << b_->events.Reason("none");
}

}  // namespace zcluster::peer
