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
  // Waits for what the thread is doing: a scan, or files being put in place.
  void Stop() override;

 private:
  class Service;
  struct Worker;

  const Options options_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<Service> service_;
};

}  // namespace zcluster::configsync
