// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "agent/controller_link/node_call.h"
#include "common/backoff.h"
#include "common/inlet.h"
#include "common/loop.h"
#include "zcluster/v1/flows.pb.h"

namespace zcluster::controller_link {

// Looks at the node's connections, as a local viewer would, while the controller wants to. A look
// that ends is begun again. Loop thread.
class FlowWatch {
 public:
  // `seen` takes what is told; it need not keep it.
  FlowWatch(Loop& loop, std::shared_ptr<Inlet> inlet, const NodeDoor& door,
            std::function<void(v1::FlowsSeen)> seen);
  ~FlowWatch();

  // So many changes a second at most (1,000 where more is asked for), for `viewer`; 0: none.
  void Subscribe(uint32_t max_per_second, const access::Caller& viewer);

 private:
  void Begin();

  Loop& loop_;
  const std::shared_ptr<Inlet> inlet_;
  const NodeDoor& door_;
  const std::function<void(v1::FlowsSeen)> seen_;
  access::Caller viewer_;
  uint32_t max_per_second_ = 0;
  std::shared_ptr<NodeCall<v1::FlowsSeen>> call_;
  Backoff backoff_;
  Loop::Registration again_;
};

}  // namespace zcluster::controller_link
