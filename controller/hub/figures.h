// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "zcluster/v1/role.pb.h"

namespace zcluster::controller {

// What a controller can say of itself in numbers; a copy is taken once a second, for metrics. Plain
// value.
struct Figures {
  std::map<v1::Status, uint64_t> pairs;  // by colour
  uint64_t pairs_ready = 0;
  uint64_t agents_enrolled = 0;
  uint64_t agents_connected = 0;
  uint64_t streams_accepted = 0;  // this and what follows: since the start
  uint64_t streams_refused = 0;
  uint64_t streams_stuck = 0;
  uint64_t messages = 0;
  uint64_t throttled = 0;
  uint64_t events_taken = 0;
  uint64_t events_lost = 0;  // dropped by agents before we had them
  uint64_t requests = 0;     // asked of agents
  uint64_t requests_failed = 0;
  uint64_t events_stored = 0;  // on the disk now
  uint64_t watchers = 0;       // open Watch, Events and Flows calls
  std::string store_problem;   // empty: none
};

}  // namespace zcluster::controller
