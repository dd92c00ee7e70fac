// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "agent/controller_link/node_call.h"
#include "common/access.h"
#include "common/inlet.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster::controller_link {

// Who handed a request on.
struct Origin {
  std::string controller;  // its name, as its certificate has it
  std::string address;     // without port
};

// For whom a request is carried out: "operator anna (by controller ctl1)", from "controller
// 10.40.0.5, for 192.0.2.7", with the lower of the two rights. What the controller says of its
// operator is cut and made printable.
access::Caller CallerOf(const v1::FleetRequest& request, const Origin& origin, access::Right allow);

// Carries out what the controller's operators ask for, by calling this node's own services. What
// has begun goes on when the stream, or this, is gone. Loop thread.
class Requests {
 public:
  // Hands progress up; `next` is to be called once, when that has left or never will.
  using Tell = std::function<void(v1::RequestProgress, std::function<void()> next)>;

  Requests(std::shared_ptr<Inlet> inlet, const NodeDoor& door, access::Right allow)
      : inlet_(std::move(inlet)), door_(door), allow_(allow) {}
  ~Requests() { Stop(); }

  // Steps, run events, and one end come to `tell`. More than kMaxRequests at the same time (those
  // of earlier streams too) end at once with RESOURCE_EXHAUSTED.
  void Begin(const v1::FleetRequest& request, const Origin& origin, Tell tell);
  void Stop();
  size_t running() const { return running_.size(); }

 private:
  template <typename Message>
  struct Wanted;
  template <typename Message, typename Prepare>
  void Call(const v1::FleetRequest& request, const Origin& origin, Tell tell, Prepare prepare);

  const std::shared_ptr<Inlet> inlet_;
  const NodeDoor& door_;
  const access::Right allow_;
  uint64_t last_ = 0;
  std::map<uint64_t, std::function<void()>> running_;  // how to cancel each
};

}  // namespace zcluster::controller_link
