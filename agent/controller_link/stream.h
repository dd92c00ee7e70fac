// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "common/inlet.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace grpc {
class Channel;
class Status;
}  // namespace grpc

namespace zcluster::controller_link {

// Told what happens to a stream, on the loop.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  // What Read() asked for.
  virtual void OnHeard(v1::ControllerMessage message) = 0;
  // What Write() was given is with gRPC; the next may be written.
  virtual void OnWritten() = 0;
  // The stream is over; nothing more can be written. gRPC tells the end, and what the other side
  // said of it, only behind the messages that came before: read on until then.
  virtual void OnWriteFailed() = 0;
  // Last.
  virtual void OnEnded(const grpc::Status& status) = 0;
};

// FleetLinkService.Connect as gRPC carries it: its threads hand everything to the loop. Loop
// thread.
class Stream {
 public:
  // Dials. `listener` outlives it, or End().
  static std::unique_ptr<Stream> Dial(std::shared_ptr<Inlet> inlet,
                                      const std::shared_ptr<grpc::Channel>& channel,
                                      StreamListener& listener);
  // Ends it.
  virtual ~Stream() = default;
  // Asks for one message: at most one is under way, so that whoever sends more waits.
  virtual void Read() = 0;
  // Not before OnWritten() of the one before.
  virtual void Write(const v1::AgentMessage& message) = 0;
  // The URI in the certificate that the other side has proved to hold; empty before a message was
  // heard.
  virtual std::string PeerUri() const = 0;
};

}  // namespace zcluster::controller_link
