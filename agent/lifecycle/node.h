// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "agent/config/config.h"
#include "agent/core/event.h"
#include "agent/core/types.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace zcluster::lifecycle {

// What this room orders of the agent's composition (agent/host.cc): to become a member of a pair,
// to be another one, to be none. Loop thread. `done` comes on the loop, once.
class Node {
 public:
  using Done = std::function<void(const absl::Status&)>;
  virtual ~Node() = default;

  // Composes and starts all that a member runs. On an error nothing of it runs.
  virtual absl::Status Start(const config::Settings& settings) = 0;
  // Whether the parts would take these settings (keepalived's own check above all). Nothing
  // changes.
  virtual void Check(const config::Settings& settings, Done done) = 0;
  // The running member takes other settings of its pair, in place.
  virtual void Reconfigure(const config::Settings& settings, Done done) = 0;
  // Ends VRRP here for good: this node holds no VIP any more and never takes over.
  virtual void EndHeartbeat(const config::Settings& settings, Done done) = 0;
  // Ends the member for good, whether it was started in this process or an earlier one: what it
  // made of this machine (VIPs, rules, its state) is taken back.
  virtual void End(const config::Settings& settings, Done done) = 0;

  // Whether a member runs, and with what settings (meaningless otherwise).
  virtual bool running() const = 0;
  virtual const config::Settings& settings() const = 0;
  // What its brain published last; meaningless unless running().
  virtual const core::View& view() const = 0;
  // Leads to the peer; null unless running().
  virtual std::shared_ptr<grpc::Channel> peer() const = 0;
  // Tells the brain; goes nowhere unless running().
  virtual void Report(core::Event event) = 0;
};

}  // namespace zcluster::lifecycle
