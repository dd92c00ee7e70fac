// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "agent/adapter.h"
#include "agent/heartbeat/announce.h"
#include "agent/heartbeat/config_check.h"
#include "agent/heartbeat/fault.h"
#include "agent/heartbeat/hang_watch.h"
#include "agent/heartbeat/notify_fifo.h"
#include "agent/heartbeat/options.h"
#include "agent/heartbeat/peer_adverts.h"
#include "agent/heartbeat/supervisor.h"
#include "agent/heartbeat/tracked_file.h"
#include "common/loop.h"

namespace zcluster::heartbeat {

// keepalived, which elects the master and moves the VIPs. It is started and steered here, and
// outlives us: neither Stop() nor a crash of ours touches it, and the next agent adopts it.
//
// Reports VrrpStarting if it has to start the first one, which then stands aside, and VrrpReported
// for each transition and for what it finds when it adopts; kDown when keepalived died. Reports
// ComponentReported "heartbeat" when it dies, cannot be started or refuses its configuration,
// "keepalived" when it hangs, and when that is over. Carries out SetFault, SetStanding,
// StartHeartbeat and Announce. Loop thread, in whose network namespace keepalived runs.
class Heartbeat : public Adapter {
 public:
  Heartbeat(Loop& loop, Options options);
  ~Heartbeat() override;

  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  void Stop() override;

  // Would keepalived take these options on this node? INVALID_ARGUMENT with its words if not.
  // Nothing changes. `done` is called once, later. Needs no heartbeat: a node that is in no pair
  // may be asked too. Several at once do not disturb each other.
  static void CheckConfig(Loop& loop, const Options& options,
                          std::function<void(const absl::Status&)> done);

  // Other VIPs, another advert interval or router id, from now on: keepalived is asked, and told if
  // it accepts them. VIPs that went are off this node when `done` is called, which is once, later:
  // OK if keepalived has taken them, or will with its start because it does not run;
  // INVALID_ARGUMENT with its words if it refuses, and then nothing has changed;
  // FAILED_PRECONDITION while another one is under way; otherwise what went wrong, and to be safe
  // the caller gives the old options anew. Not after Stop(). All other options must be as they
  // were.
  //
  // No transition follows if the excluded VIPs differ between the nodes, or the interval of a
  // backup is the longer one: so a shorter interval goes to the master first. Another router id,
  // until both have it, makes both masters.
  void Reconfigure(const Options& options, std::function<void(const absl::Status&)> done);

  // Ends keepalived for good and leaves the node as if it had never been: no VIP, no anchor, none
  // of its files. Also what a former agent left. Nothing is reported from the call on, and nothing
  // carried out any more. `done` is called once, later, 7 s later at the latest; not after Stop().
  void GiveBack(std::function<void()> done);

 private:
  void Take(Options options);
  void FinishReconfigure(const absl::Status& status);
  // Whether each VIP is on this node, if it is master.
  absl::Status HasVips() const;
  void RemoveFiles();
  void SetFault(const core::SetFault& fault);
  void Begin();
  void OnStarting();
  void OnRunning(bool adopted);
  void OnGone(const std::string& problem);
  // What keepalived says.
  void OnTold(core::VrrpState state);
  // Compares what was last told with what is: a line of the FIFO can be lost (it was full while no
  // agent ran, or its last reader took it and died), the anchor address cannot.
  void Verify();
  void LookForDuplicates(bool master);
  void LookForHang();
  void SetHang(const std::string& problem);
  // keepalived's state, told from the node itself.
  absl::optional<core::VrrpState> Find() const;
  void Report(core::VrrpState state);
  // What may be wrong at once; the first of those that are is reported.
  enum Trouble { kRefusal, kWriting, kGone, kStopped, kDuplicate, kTroubles };
  void SetTrouble(Trouble trouble, const std::string& problem);
  // What came of writing one of the files.
  void Wrote(const absl::Status& status);

  Loop& loop_;
  Options options_;
  EventSink* events_ = nullptr;  // null before Start() and after Stop()
  Fault fault_;
  TrackedFile standing_;
  NotifyFifo fifo_;
  Announcer announcer_;
  Supervisor supervisor_;
  HangWatch hang_watch_;
  PeerAdverts peer_adverts_;
  HangWatch::Verdict verdict_ = HangWatch::Verdict::kWorks;  // as of the last look
  std::string hang_;                                         // as reported last
  bool begun_ = false;
  bool given_back_ = false;

  ConfigCheck asked_;  // by the Reconfigure under way
  std::function<void(const absl::Status&)> reconfigured_;
  std::vector<Vip> gone_;  // of the Reconfigure under way

  absl::optional<core::VrrpState>
      state_;             // as reported last; nothing since keepalived was started or found
  bool doubted_ = false;  // the last Verify() saw something else than state_
  std::array<std::string, kTroubles> troubles_;
  std::string problem_;  // as reported last
  Loop::Registration verify_;
  Loop::Registration verify_soon_;
  Loop::Registration hang_looks_;
};

}  // namespace zcluster::heartbeat
