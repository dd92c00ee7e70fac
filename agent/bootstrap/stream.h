// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "agent/bootstrap/message.h"
#include "common/inlet.h"

namespace grpc {
class Channel;
class Service;
class Status;
}  // namespace grpc

// BootstrapService.Join as gRPC carries it. The reactors run on gRPC's threads, hand everything to
// the loop, and are told on the loop what to do next: no logic.
namespace zcluster::bootstrap {

// Told what happens to a stream, on the loop, until it is ended by End().
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  virtual void OnHeard(const Received& message) = 0;
  virtual void OnWritten() = 0;
  // No message follows. End() must be called.
  virtual void OnEnded(const grpc::Status& status) = 0;
};

// One end of a stream. Loop thread.
class Stream {
 public:
  // Ends it, if nobody did.
  virtual ~Stream() = default;
  virtual void Listen(StreamListener& listener) = 0;
  // Asks for one message: OnHeard or OnEnded. Not again before that.
  virtual void Read() = 0;
  // Sends one: OnWritten, or OnEnded. Not again before that.
  virtual void Write(const grpc::ByteBuffer& message) = 0;
  // Ends it; who called it is told `why`. Nothing may be asked of it afterwards.
  virtual void End(const absl::Status& why) = 0;
};

// Calls Join over `channel`.
std::unique_ptr<Stream> DialStream(std::shared_ptr<Inlet> inlet,
                                   const std::shared_ptr<grpc::Channel>& channel);

// Who opened a stream, as TLS has proved it.
struct Caller {
  std::string address;      // the host
  std::string fingerprint;  // of its key
};

// Told of new streams, on the loop.
class Reception {
 public:
  virtual ~Reception() = default;
  virtual void OnCaller(std::unique_ptr<Stream> stream, const Caller& caller) = 0;
};

class ServedReactor;

// All streams of one server that are open.
class OpenStreams {
 public:
  OpenStreams(std::shared_ptr<Inlet> inlet, Reception& reception, size_t most)
      : inlet_(std::move(inlet)), reception_(reception), most_(most) {}

  // Loop. Ends all of them, and each that is opened from now on.
  void Shut() ABSL_LOCKS_EXCLUDED(mutex_);

  // For reactors. A new one: OK if it may stay. One that is given up.
  absl::Status Enter(ServedReactor& reactor) ABSL_LOCKS_EXCLUDED(mutex_);
  void Leave(ServedReactor& reactor) ABSL_LOCKS_EXCLUDED(mutex_);
  Inlet& inlet() { return *inlet_; }
  Reception& reception() { return reception_; }

 private:
  const std::shared_ptr<Inlet> inlet_;
  Reception& reception_;  // on the loop only
  const size_t most_;
  absl::Mutex mutex_;
  bool shut_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<ServedReactor*> open_ ABSL_GUARDED_BY(mutex_);
};

// zcluster.v1.BootstrapService.
std::unique_ptr<grpc::Service> MakeJoinService(std::shared_ptr<OpenStreams> streams);

}  // namespace zcluster::bootstrap
