// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "agent/peer/channel.h"
#include "agent/peer/peer.h"
#include "agent/peer/server.h"
#include "tests/support/certificates.h"

// Two agents' links in one process, over real TLS on loopback. Node "a" dials, "b" serves.
namespace zcluster::peer {

// What the brain was told.
class Recorder : public EventSink {
 public:
  void Report(core::Event event) override;
  // Waits until for the first event of type T that satisfies `wanted`, after those that an earlier
  // call returned.
  template <typename T>
  absl::optional<T> Next(std::function<bool(const T&)> wanted = [](const T&) { return true; }) {
    absl::MutexLock lock(&mutex_);
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    do {
      for (; next_ < events_.size(); ++next_) {
        const T* event = std::get_if<T>(&events_[next_]);
        if (event != nullptr && wanted(*event)) return std::get<T>(events_[next_++]);
      }
    } while (!more_.WaitWithDeadline(&mutex_, deadline));
    return absl::nullopt;
  }
  // The reason of the next PeerDisconnected that contains `part`; all reasons seen, if there is
  // none.
  std::string Reason(const std::string& part);
  size_t Count();

 private:
  absl::Mutex mutex_;
  absl::CondVar more_;
  std::vector<core::Event> events_;
  size_t next_ = 0;
};

// An agent as far as the link goes: loop with its thread, server, link.
class Agent {
 public:
  // Listens on `listen` at once, does not start the link.
  Agent(Options options, const tls::Files& files, const std::string& listen,
        const std::vector<std::string>& peer_addresses);
  ~Agent();

  void Start();
  void Tell(core::NodeState state);
  void Do(core::Action action);
  // Keeps the loop's thread from doing anything for `duration`.
  void Hang(absl::Duration duration);
  void Stop();
  int port() const { return port_; }

  Recorder events;

 private:
  void OnLoop(std::function<void()> task);

  Loop loop_;
  int port_ = 0;
  std::unique_ptr<PeerLink> link_;
  std::unique_ptr<grpc::Server> server_;
  std::thread thread_;
};

class PairTest : public testing::Test {
 protected:
  static Options OptionsOf(const std::string& node, int peer_port = 0);
  static std::string Uri(const std::string& node);
  static std::string Loopback(int port);
  tls::Files Files(const std::string& node);

  std::unique_ptr<Agent> MakeB(const std::string& listen = "127.0.0.1:0");
  std::unique_ptr<Agent> MakeA(int port_of_b);
  // Both, connected.
  void Connect();

  test::TempDirectory directory_;
  test::Authority authority_{directory_.path(), "lab"};
  std::unique_ptr<Agent> a_;
  std::unique_ptr<Agent> b_;
};

}  // namespace zcluster::peer
