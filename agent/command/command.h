// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/adapter.h"
#include "agent/command/catalogue.h"
#include "common/loop.h"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace zcluster {
class Guard;
}  // namespace zcluster

namespace zcluster::command {

class PeerCalls;
class Runs;

// The node and its catalogue.
struct Options {
  std::string node_name;
  std::string peer_name;
  std::vector<CommandSpec> catalogue;
  // Absolute paths that this node allows the catalogue to run.
  std::vector<std::string> programs;
};

// The commands of the catalogue: run on the master and then on the backup, nothing else, never by a
// shell. It learns the roles from AssumeRole, and answers Flush: then what is asked of the master
// waits until ReleaseCommands, so that no command is cut in two by a hand-over.
class Command : public Adapter {
 public:
  // `peer` leads to the peer's agent. `loop` and `guard`, which every call must pass, outlive this.
  // The servers of the two services are
  // shut down before this is destroyed.
  Command(Loop& loop, Options options, std::shared_ptr<grpc::Channel> peer, Guard& guard);
  ~Command() override;

  // For operators: Run (here if this node is master, else passed on), List.
  grpc::Service& local_service();
  // For the peer: Run (only as master), Replicate, List.
  grpc::Service& peer_service();

  // INVALID_ARGUMENT if the catalogue is not whole: names the command and what is wrong.
  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  // Another catalogue and other programs, from now on; what runs goes on as it began. The names
  // stay. INVALID_ARGUMENT as Start() has it, and then nothing has changed. Loop thread.
  absl::Status Reconfigure(Options options);
  // Programs that still run get SIGTERM; who waits for them is told that the outcome is unknown.
  void Stop() override;

 private:
  class LocalService;
  class PeerService;

  Loop& loop_;
  Options options_;
  std::unique_ptr<PeerCalls> peer_;
  EventSink* events_ = nullptr;
  std::shared_ptr<Runs> runs_;  // from Start() on
  std::unique_ptr<LocalService> local_service_;
  std::unique_ptr<PeerService> peer_service_;
};

}  // namespace zcluster::command
