// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/conntrack/flow.h"

// A flow as it is told otherwise.
namespace zcluster::conntrack {

inline Flow Gone(Flow flow) {
  flow.gone = true;
  return flow;
}

// An update that is not about TCP's state leaves it out.
inline Flow Partial(Flow flow) {
  flow.has_tcp = false;
  flow.tcp = {};
  return flow;
}

inline Flow Marked(Flow flow, uint32_t mark) {
  flow.mark = mark;
  return flow;
}

inline Flow InState(Flow flow, uint8_t state) {
  flow.tcp.state = state;
  return flow;
}

}  // namespace zcluster::conntrack
