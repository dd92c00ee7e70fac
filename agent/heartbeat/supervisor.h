// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "agent/heartbeat/config_check.h"
#include "agent/heartbeat/farewell.h"
#include "agent/heartbeat/options.h"
#include "agent/heartbeat/process.h"
#include "agent/heartbeat/reload_watch.h"
#include "common/backoff.h"
#include "common/loop.h"

namespace zcluster::heartbeat {

// Keeps one keepalived running with the configuration that the options say: adopts the one that
// runs, or starts one; starts it anew when it died, after taking its addresses off this node; tells
// it of a changed configuration, once its own check accepts that. Never waits: what takes time ends
// in a call to the observer. Loop thread.
//
// What a crash of ours leaves is put right by the next Start(): a candidate beside the
// configuration says that a running keepalived may not have read it yet.
class Supervisor {
 public:
  struct Observer {
    // No keepalived runs and the first is about to be started: the moment to say how it shall
    // begin. Once at most.
    std::function<void()> starting;
    // keepalived runs: `adopted` if it did before us. Its first state is still to come.
    std::function<void(bool adopted)> running;
    // Its VRRP process, or all of it, is gone; why, and what is done about it. `running` follows
    // unless the parent lives.
    std::function<void(const std::string& problem)> gone;
    // It cannot be started, or refuses the configuration; tried again. If it runs, it goes on with
    // what it had.
    std::function<void(const std::string& problem)> refused;
    // It took a changed configuration, which it had refused, or not.
    std::function<void()> reloaded;
  };

  Supervisor(Loop& loop, const Options& options, Observer observer);

  void Start();
  // Watches no more. keepalived lives on.
  void Stop();

  // The options have changed, and keepalived's check accepts them: tells it. `done` is called once,
  // later: OK when keepalived has taken them, or will because none runs now. Not before the one
  // before has ended. Addresses that went are keepalived's to remove.
  void Reconfigure(std::function<void(const absl::Status&)> done);

  // Stops, and ends keepalived for good. `done` is called once, later.
  void End(std::function<void()> done);

  // Takes off this node every address that keepalived had, or could have. None must be running.
  void RemoveStaleAddresses();

  // Kills keepalived, which hangs, parent and VRRP process, and takes its addresses off at once,
  // for it may not end before long (one that waits in the kernel). A new one is started when it has
  // ended. Only while it is running().
  void KillHung();

  // Whether keepalived's parent runs, and is to go on.
  bool running() const { return parent_.has_value() && !killed_; }
  // Whether its VRRP process is known to run. Looks for it if it is not known.
  bool FindVrrp();
  // The VRRP process; FindVrrp() must have said that it is known.
  const FoundProcess& vrrp() const { return *vrrp_; }
  // It was told of a configuration, and has not said that it has it.
  bool reloading() const { return taken_.under_way(); }
  // Sees to it that keepalived, as far as it is known to run, is scheduled in real time. To be
  // called again and again: a new VRRP process is as its parent, but anybody may change either.
  void HoldRealTime();
  // Tells keepalived to go on (SIGCONT) if somebody stopped it. True: somebody did.
  bool Wake();

 private:
  // Adopts, or clears the ground and starts.
  void Begin();
  void Adopt(FoundProcess parent);
  // The parent is dead, its other process still lives: it gets a moment to say goodbye to the peer.
  void Dismiss(FoundProcess orphan);
  // Has keepalived check the wanted configuration, in the candidate's place, and then applies it.
  void Check();
  void FinishCheck(const absl::Status& status);
  // Puts the wanted configuration into its place, and tells keepalived of it, or starts it.
  void Apply();
  void Launch();
  void Tell();
  void OnTaken(const absl::Status& status);
  void EndReconfigure(const absl::Status& status);
  // Begins a Check, if keepalived may not have read the wanted configuration.
  void Reload();
  void Watch(FoundProcess parent);
  // Kills a parent that makes no new VRRP process in good time: it hangs, or it waits longer than we
  // do because the last ones died too. Not for one that was just started: if that takes long, it
  // would take as long again.
  void ExpectVrrp();
  void Kill();
  // `process` was killed, and does not end.
  void ReportStuck(const FoundProcess& process);
  void OnParentEnd();
  void OnVrrpEnd();
  void Refuse(const std::string& problem);

  Loop& loop_;
  const Options& options_;
  Observer observer_;
  std::string wanted_;    // the configuration as it should be
  bool began_ = false;    // a keepalived was adopted, or the first announced by `starting`
  bool checked_ = false;  // keepalived accepted it once

  absl::optional<FoundProcess> parent_;
  absl::optional<FoundProcess> vrrp_;
  absl::optional<FoundProcess> orphan_;
  Loop::Registration parent_watch_;
  Loop::Registration vrrp_watch_;
  Loop::Registration orphan_watch_;
  Loop::Registration dismissal_;
  Loop::Registration expecting_;  // a VRRP process
  bool killed_ = false;           // the parent, by us; its end is still to come

  ConfigCheck check_;
  ReloadWatch taken_;
  bool tell_again_ = false;  // once it has taken what it was told
  std::function<void(const absl::Status&)> reconfigured_;
  Farewell farewell_;

  Loop::Registration retry_;
  Loop::Registration later_;
  Backoff backoff_;
  bool real_time_refused_ = false;                // said once
  absl::Time started_;                            // loop clock: when we started or adopted it
  absl::Time not_before_ = absl::InfinitePast();  // when it may be started again
};

}  // namespace zcluster::heartbeat
