// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "tests/sim/observer.h"
#include "tests/sim/pair.h"
#include "tests/sim/random.h"
#include "tests/sim/shrink.h"

namespace zcluster::sim {

// Breaks the pair by chance, mends it again after a while, and asks for operations as people do, at
// the wrong moment.
class Chaos {
 public:
  // Its chance is a stream of its own for each pick, from `seed`: what is left out (`without`, by
  // number) does not change what the others are.
  Chaos(Pair& pair, uint64_t seed, Observer& observer, const Without& without);

  // Begins; the first fault comes when the pair had time to find itself.
  void Begin();
  // Everything is mended, nothing more breaks. Operators may still bring nodes back from
  // maintenance.
  void Cease(bool bring_back);

  // An operator asks `node`. The operation's id; 0 if no agent runs there.
  uint64_t AskFor(int node, core::OperationKind kind, bool force,
                  absl::Duration length = absl::InfiniteDuration());

  // The front of `node` fails, or is well again.
  void SetFront(int node, bool well);

  uint64_t faults() const { return faults_; }
  uint64_t picks() const { return picks_; }

 private:
  void Next();
  void BreakSomething();
  void CutVrrp();
  void CutLink();
  void CutAll();
  void DarkenPort();
  void LoseAdverts();
  void CrashAgent();
  void CrashInSwitchover();
  void HangKeepalived();
  void LeaveFiles();
  void HangAgent();
  void PowerCut();
  void KillKeepalived();
  void StallDisk();
  void ReportProblem();
  void ChangeMachine();
  void FailFront();
  void SetWallClock();
  void PowerCutOfBoth();
  void Ask();
  void Reconfigure();
  void BringBack();
  void Unfreeze();
  void FailPower(int node);
  // Undoes a fault after `least` to `most`, unless all was mended before.
  void Later(absl::Duration least, absl::Duration most, std::function<void()> undo);
  int AnyNode() { return static_cast<int>(random_.Below(2)); }

  Pair& pair_;
  const uint64_t seed_;
  Random random_;  // of the pick under way
  Observer& observer_;
  const Without without_;
  bool active_ = false;
  core::Config wanted_;  // of the pair, as last asked for
  uint64_t picks_ = 0;
  uint64_t faults_ = 0;
  uint64_t operations_ = 0;
};

}  // namespace zcluster::sim
