// SPDX-License-Identifier: Apache-2.0
// The scenarios on the real keepalived: two namespaces, one wire, our own configuration.
#include <signal.h>

#include <memory>

#include "absl/synchronization/mutex.h"
#include "agent/heartbeat/fault.h"
#include "agent/heartbeat/notify_fifo.h"
#include "agent/heartbeat/process.h"
#include "tests/agent/heartbeat/wire.h"
#include "tests/conformance/scenarios.h"

namespace zcluster::conformance {
namespace {

// The two nodes of the heartbeat's own tests, without their adapters.
class Wire : public heartbeat::HeartbeatTest {
 public:
  heartbeat::Node& node(int n) { return n == 0 ? *a_ : *b_; }
  using HeartbeatTest::Must;

 private:
  void TestBody() override {}
};

class RealStage {
 public:
  explicit RealStage(absl::Duration interval) {
    for (int n : {0, 1}) {
      heartbeat::Node& node = wire_.node(n);
      node.interval = *core::AdvertInterval::From(interval);
      sides_[n] = std::make_unique<Side>(node.MakeOptions());
      Side& side = *sides_[n];
      std::filesystem::create_directories(side.options.state_dir);
      std::filesystem::create_directories(side.options.run_dir);
      Expect(side.fault.Prepare());
      Expect(heartbeat::TrackedFile(side.options.StandingPath()).EnsureExists());
      Expect(WriteFileAtomically(side.options.ConfigPath(), Render(side.options), 0600));
      node.On([&] {
        side.fifo = std::make_unique<heartbeat::NotifyFifo>(node.loop(), side.options.FifoPath());
        Expect(side.fifo->Open([this, &side](VrrpState state) {
          absl::MutexLock lock(&mutex_);
          side.told.push_back(state);
        }));
      });
    }
  }
  ~RealStage() {
    for (int n : {0, 1}) {
      if (sides_[n]->child.has_value()) KillBoth(n);
      wire_.node(n).On([&] { sides_[n]->fifo.reset(); });
    }
  }

  void Start(int n) {
    const heartbeat::Options& options = sides_[n]->options;
    wire_.node(n).On([&] {
      heartbeat::RemoveStalePidFiles(options);
      absl::StatusOr<Child> child = heartbeat::StartKeepalived(options);
      Expect(child.status());
      if (child.ok()) sides_[n]->child.emplace(*std::move(child));
    });
    EXPECT_TRUE(Await([&] { return wire_.node(n).Vrrp() > 0; }));
  }
  void SetFault(int n) { Expect(sides_[n]->fault.Set(absl::InfiniteDuration())); }
  void LeaseFault(int n, absl::Duration length) { Expect(sides_[n]->fault.Set(length)); }
  void LiftFault(int n) { Expect(sides_[n]->fault.Lift()); }
  void LeaveFault(int n) {
    Expect(
        WriteFileAtomically(sides_[n]->options.LeasePath(), "of-another-boot 99999999999\n", 0600));
    Expect(WriteFileAtomically(sides_[n]->options.FaultPath(), "1\n", 0600));
  }
  void UnlinkFault(int n) { std::filesystem::remove(sides_[n]->options.FaultPath()); }
  void SetStanding(int n, int above) {
    Expect(heartbeat::TrackedFile(sides_[n]->options.StandingPath()).Write(above));
  }

  void Terminate(int n) { ::kill(wire_.node(n).Keepalived(), SIGTERM); }
  void Reload(int n) { ::kill(wire_.node(n).Keepalived(), SIGHUP); }
  void KillChild(int n) { ::kill(wire_.node(n).Vrrp(), SIGKILL); }
  void Hang(int n) { ::kill(wire_.node(n).Vrrp(), SIGSTOP); }
  void Wake(int n) { ::kill(wire_.node(n).Vrrp(), SIGCONT); }
  void KillParent(int n) {
    ::kill(wire_.node(n).Keepalived(), SIGKILL);
    Reap(n);
  }
  // Stopped first: neither is to see the other die.
  void KillBoth(int n) {
    const pid_t parent = wire_.node(n).Keepalived(), child = wire_.node(n).Vrrp();
    for (const int signal : {SIGSTOP, SIGKILL}) {
      for (const pid_t pid : {child, parent}) {
        if (pid > 0) ::kill(pid, signal);
      }
    }
    Reap(n);
  }

  void CutFrom(int n) {
    Wire::Must(
        {"netns", "exec", wire_.node(n).network(), "nft",
         "add table inet cut; add chain inet cut out { type filter hook output priority 0; }; "
         "add rule inet cut out meta l4proto 112 drop"});
    sides_[n]->cut = true;
  }
  void Heal() {
    for (int n : {0, 1}) {
      if (!std::exchange(sides_[n]->cut, false)) continue;
      Wire::Must({"netns", "exec", wire_.node(n).network(), "nft", "delete table inet cut"});
    }
  }

  std::vector<VrrpState> TakeTold(int n) {
    absl::MutexLock lock(&mutex_);
    return std::exchange(sides_[n]->told, {});
  }
  bool Holds(int n) { return wire_.node(n).HoldsAll(); }
  bool Await(const std::function<bool()>& condition, absl::Duration limit = absl::Seconds(20)) {
    return heartbeat::WaitUntil(limit, condition);
  }
  absl::Time Now() { return absl::Now(); }

 private:
  struct Side {
    explicit Side(heartbeat::Options its) : options(std::move(its)), fault(options) {}
    const heartbeat::Options options;
    heartbeat::Fault fault;
    std::unique_ptr<heartbeat::NotifyFifo> fifo;  // used on the node's loop
    absl::optional<Child> child;
    std::vector<VrrpState> told;  // guarded by mutex_
    bool cut = false;
  };

  static void Expect(const absl::Status& status) { EXPECT_TRUE(status.ok()) << status; }
  void Reap(int n) {
    EXPECT_TRUE(Await([&] { return sides_[n]->child->Exit().has_value(); }));
    sides_[n]->child.reset();
  }

  Wire wire_;
  absl::Mutex mutex_;
  std::unique_ptr<Side> sides_[2];
};

INSTANTIATE_TYPED_TEST_SUITE_P(Real, Keepalived, RealStage);

}  // namespace
}  // namespace zcluster::conformance
