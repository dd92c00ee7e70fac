// SPDX-License-Identifier: Apache-2.0
// The simulated keepalived in the scenarios that the real one is held against.
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "tests/conformance/scenarios.h"
#include "tests/sim/keepalived.h"

namespace zcluster::conformance {
namespace {

class SimulatedStage {
 public:
  explicit SimulatedStage(absl::Duration interval) {
    for (int n : {0, 1}) {
      nodes_[n] = std::make_unique<sim::Keepalived>(
          clock_, random_, files_[n], interval,
          sim::Keepalived::World{
              .send_advert = [this, n](const sim::Advert& advert) { Carry(n, advert); },
              .changed = [this, n](VrrpState state) { told_[n].push_back(state); },
              .died = [] {}});
    }
  }

  void Start(int n) { nodes_[n]->Start(); }
  void SetFault(int n) { Set(n, true, absl::InfiniteFuture()); }
  void LiftFault(int n) { Set(n, false, absl::InfinitePast()); }
  void UnlinkFault(int n) { LiftFault(n); }
  void LeaseFault(int n, absl::Duration length) { Set(n, true, clock_.now() + length); }
  void LeaveFault(int n) { Set(n, true, absl::InfinitePast()); }
  void SetStanding(int n, int above) {
    files_[n].priority = static_cast<uint8_t>(252 + above);
    nodes_[n]->NoticeFiles();
  }
  // As the death of its parent does, to whoever looks from outside.
  void Terminate(int n) { nodes_[n]->KillParent(); }
  void Reload(int n) { nodes_[n]->Reload(nodes_[n]->advert_interval()); }
  void KillChild(int n) { nodes_[n]->KillChild(); }
  void KillParent(int n) { nodes_[n]->KillParent(); }
  void KillBoth(int n) { nodes_[n]->KillBoth(); }
  void Hang(int n) { nodes_[n]->Hang(); }
  void Wake(int n) { nodes_[n]->Wake(); }
  void CutFrom(int n) { cut_[n] = true; }
  void Heal() { cut_[0] = cut_[1] = false; }

  std::vector<VrrpState> TakeTold(int n) { return std::exchange(told_[n], {}); }
  bool Holds(int n) { return nodes_[n]->holds_vips(); }
  bool Await(const std::function<bool()>& condition, absl::Duration limit = absl::Seconds(20)) {
    const absl::Time deadline = clock_.now() + limit;
    clock_.At(deadline, [] {});
    while (!condition()) {
      if (clock_.now() >= deadline || !clock_.RunNext()) return false;
    }
    return true;
  }
  absl::Time Now() { return clock_.now(); }

 private:
  void Set(int n, bool fault, absl::Time ends) {
    files_[n].fault = fault;
    files_[n].lease_ends = ends;
    nodes_[n]->NoticeFiles();
    nodes_[n]->WatchLease();
  }
  void Carry(int from, const sim::Advert& advert) {
    if (cut_[from]) return;
    clock_.After(absl::Microseconds(200),
                 [this, from, advert] { nodes_[1 - from]->Receive(advert, from == 1); });
  }

  sim::Clock clock_;
  sim::Random random_{7};
  sim::TrackedFiles files_[2];
  std::unique_ptr<sim::Keepalived> nodes_[2];
  std::vector<VrrpState> told_[2];
  bool cut_[2] = {};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Simulated, Keepalived, SimulatedStage);

}  // namespace
}  // namespace zcluster::conformance
