// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/loop.h"
#include "common/tls.h"
#include "controller/core/ids.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace grpc {
class ServerCredentials;
}  // namespace grpc

namespace zcluster::controller {

// An agent as the transport has proved it: its certificate is signed by the fleet's CA.
struct ProvenAgent {
  AgentId id;
  std::string key;      // fingerprint of its key
  std::string address;  // from where it calls, without port
};

// What agents say, after their streams were checked: bounded, in the order of the protocol, and no
// faster than the limit. Loop thread.
class AgentListener {
 public:
  virtual ~AgentListener() = default;
  // An agent wants in. An error refuses it, and is what it reads. `hello` is of this very agent.
  virtual absl::StatusOr<v1::Welcome> OnHello(const ProvenAgent& agent,
                                              const v1::AgentHello& hello) = 0;
  virtual void OnReport(const AgentId& agent, v1::AgentReport report) = 0;
  virtual void OnEvents(const AgentId& agent, v1::EventBatch events) = 0;
  virtual void OnFlows(const AgentId& agent, v1::FlowsSeen flows) = 0;
  virtual void OnCertificateRequest(const AgentId& agent, v1::CertificateRequest request) = 0;
  // The stream of an agent that was let in has ended; once for each. A second stream of an agent
  // ends the first before the second's OnHello.
  virtual void OnGone(const AgentId& agent, const std::string& reason) = 0;
};

// The streams of all agents that are connected: FleetLinkService. Loop thread, but for gRPC's
// threads inside.
class Agents {
 public:
  struct Options {
    std::string listen;  // ADDRESS:PORT; port 0 lets the kernel choose
    std::string fleet;   // agents' certificates are zcluster://FLEET/agent/PAIR/NODE
    tls::Files files;    // the controller's own, and the fleet's CA
    size_t max_agents = 20'000;
    // Read of one agent, on average; a burst is ten times it. A message of more than 16 KiB counts
    // as several.
    uint32_t messages_per_second = 100;
    // A stream that takes nothing while so many messages wait for it is ended; so is one whose
    // oldest message waits so long.
    size_t max_waiting = 256;
    absl::Duration max_wait = absl::Seconds(30);
    // Without AgentHello a stream ends after so long.
    absl::Duration patience = absl::Seconds(10);
  };
  // Listens. The error names the address and why it cannot be had. `loop` and `listener` outlive
  // this.
  static absl::StatusOr<std::unique_ptr<Agents>> Start(Loop& loop, Options options,
                                                       AgentListener& listener);
  // Ends all streams (UNAVAILABLE: the controller is stopping) after what was sent to them, such as
  // Pacing, and waits for that a second at most. Whoever asked something is answered UNAVAILABLE;
  // the listener is told nothing any more.
  virtual ~Agents() = default;

  virtual int port() const = 0;
  // Agents whose hello was accepted.
  virtual size_t connected() const = 0;
  virtual bool IsConnected(const AgentId& agent) const = 0;

  // Sends; dropped if it is not connected.
  virtual void Send(const AgentId& agent, v1::ControllerMessage message) = 0;
  // To all that are connected.
  virtual void SendToAll(const v1::ControllerMessage& message) = 0;

  // Asks an agent, under an id of its own; each step and event, and one end, come to `progress`, on
  // the loop: before this returns UNAVAILABLE if it is not connected, RESOURCE_EXHAUSTED if it has
  // 64 requests under way, INVALID_ARGUMENT if the request is larger than 256 KiB; UNAVAILABLE when
  // its stream ends first (the request may go on there), DEADLINE_EXCEEDED if nothing at all comes
  // within ten seconds and the stream is stuck. What an agent tells of ids that it was not asked is
  // dropped.
  using Progress = std::function<void(const v1::RequestProgress&)>;
  virtual void Ask(const AgentId& agent, v1::FleetRequest request, Progress progress) = 0;

  // Ends its stream with that status, after what was sent to it. OnGone comes before this returns.
  virtual void Disconnect(const AgentId& agent, const absl::Status& why) = 0;

  // Counters since the start, for metrics.
  struct Counters {
    uint64_t accepted = 0;   // streams
    uint64_t refused = 0;    // handshakes and hellos
    uint64_t messages = 0;   // read
    uint64_t throttled = 0;  // times that an agent had to wait for its limit
    uint64_t stuck = 0;      // streams ended because nothing was taken
  };
  virtual Counters counters() const = 0;
};

}  // namespace zcluster::controller
