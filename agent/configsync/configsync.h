// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "agent/adapter.h"
#include "agent/configsync/root.h"
#include "common/loop.h"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace zcluster::configsync {

class Replication;

// What is to be held alike on both nodes.
struct Options {
  std::vector<Root> roots;
  // Files and directories of the agent itself, which no root may hold or lie in.
  std::vector<std::string> own_paths;
  // A root is read when nothing has changed in it for so long: an editor's save is several changes.
  absl::Duration settle = absl::Milliseconds(5);
  // Where this node remembers what both last held alike, and keeps what it had changed when the
  // master's takes its place. Empty: neither.
  std::string agreed_dir = {};
  std::string kept_dir = {};
};

// Keeps configuration trees alike on both nodes: the master's wins, the direction follows the role.
// Reads, hashes and writes on a thread of its own; the loop only hands over. Reports RootsReported
// when a root is another, or another is known of it, and Flushed.
class ConfigSync : public Adapter {
 public:
  // `peer` leads to the peer's agent. `loop` outlives this. The server that serves service() is
  // shut down before this is destroyed.
  ConfigSync(Loop& loop, Options options, std::shared_ptr<grpc::Channel> peer);
  ~ConfigSync() override;

  // For the peer.
  grpc::Service& service();

  // INVALID_ARGUMENT if a root cannot be one (CheckRoots); other errors if files cannot be watched.
  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  // Other roots, from now on, in any role. A root that goes stays on the disk as it is; one that
  // comes is synchronised as at the start; one that stays is compared with the peer again, without
  // being read again. INVALID_ARGUMENT if a root cannot be one, and then nothing has changed; the
  // own paths and the settling time are those of the options at the start. Never waits. Flushes
  // that are asked for are answered when the peer holds the new roots.
  //
  // A backup refuses a root that it does not have: it is told of a new one before its master, else
  // the master shows that until its next try, 2 s later at most.
  absl::Status Reconfigure(Options options);
  // Waits for what the thread is doing: a scan, or files being put in place.
  void Stop() override;

 private:
  class Service;
  struct Worker;

  Options options_;
  EventSink* events_ = nullptr;  // from Start() on
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<Service> service_;
};

}  // namespace zcluster::configsync
