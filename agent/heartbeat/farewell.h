// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "agent/heartbeat/options.h"
#include "agent/heartbeat/process.h"
#include "common/loop.h"

namespace zcluster::heartbeat {

// Ends keepalived for good: SIGTERM, with which it tells the peer, gives up its addresses at once
// and ends a second later; SIGKILL for one that does not. Never waits. Loop thread.
class Farewell {
 public:
  // `options` outlive this.
  Farewell(Loop& loop, const Options& options) : loop_(loop), options_(options) {}

  // Ends `known`, a parent before its child, and every other keepalived with our configuration.
  // `done` is called once, later, when none of them runs any more, or after 7 s.
  void Begin(std::vector<FoundProcess> known, std::function<void()> done);
  // `done` will not be called; who was asked to end, ends.
  void Cancel();

 private:
  // One process; its watch is gone once it has ended.
  struct Leaving {
    FoundProcess process;
    Loop::Registration watch;
  };
  void Add(FoundProcess process);
  // Whoever is not known yet: a parent may have made a child meanwhile.
  void FindMore();
  // The first of them tells the others.
  void Ask();
  void OnEnd();
  void Finish();

  Loop& loop_;
  const Options& options_;
  std::vector<Leaving> leaving_;
  std::function<void()> done_;
  Loop::Registration patience_;
  Loop::Registration limit_;
};

}  // namespace zcluster::heartbeat
