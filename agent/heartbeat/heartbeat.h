// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "absl/types/optional.h"
#include "agent/adapter.h"
#include "agent/heartbeat/announce.h"
#include "agent/heartbeat/notify_fifo.h"
#include "agent/heartbeat/options.h"
#include "agent/heartbeat/supervisor.h"
#include "agent/heartbeat/tracked_file.h"
#include "common/loop.h"

namespace zcluster::heartbeat {

// keepalived, which elects the master and moves the VIPs. It is started and steered here, and
// outlives us: neither Stop() nor a crash of ours touches it, and the next agent adopts it.
//
// Reports VrrpStarting if it has to start the first one, which then stands aside, and VrrpReported
// for each transition and for what it finds when it adopts; kDown when keepalived died. Reports
// ComponentReported "heartbeat" when it dies, cannot be started or refuses its configuration, and
// when that is over. Carries out SetFault, SetStanding, StartHeartbeat and Announce. Loop thread,
// in whose network namespace keepalived runs.
class Heartbeat : public Adapter {
 public:
  Heartbeat(Loop& loop, Options options);
  ~Heartbeat() override;

  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  void Stop() override;

 private:
  void Begin();
  void OnStarting();
  void OnRunning(bool adopted);
  void OnGone(const std::string& problem);
  // What keepalived says.
  void OnTold(core::VrrpState state);
  // Compares what was last told with what is: a line of the FIFO can be lost (it was full while no
  // agent ran, or its last reader took it and died), the anchor address cannot.
  void Verify();
  // keepalived's state, told from the node itself.
  absl::optional<core::VrrpState> Find() const;
  void Report(core::VrrpState state);
  // What may be wrong at once; the first of those that are is reported.
  enum Trouble { kRefusal, kWriting, kGone, kTroubles };
  void SetTrouble(Trouble trouble, const std::string& problem);
  void Write(TrackedFile& file, int value);

  Loop& loop_;
  const Options options_;
  EventSink* events_ = nullptr;  // null before Start() and after Stop()
  TrackedFile fault_;
  TrackedFile standing_;
  NotifyFifo fifo_;
  Announcer announcer_;
  Supervisor supervisor_;
  bool begun_ = false;

  absl::optional<core::VrrpState>
      state_;             // as reported last; nothing since keepalived was started or found
  bool doubted_ = false;  // the last Verify() saw something else than state_
  std::array<std::string, kTroubles> troubles_;
  std::string problem_;  // as reported last
  Loop::Registration verify_;
  Loop::Registration verify_soon_;
};

}  // namespace zcluster::heartbeat
