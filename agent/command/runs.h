// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "agent/command/catalogue.h"
#include "agent/core/types.h"
#include "common/loop.h"
#include "common/process.h"
#include "zcluster/v1/command.pb.h"

namespace zcluster::command {

class PeerCalls;

// Who hears of a run: each event as it comes, then how the call ended, once. The call's status says
// whether there was a run at all; how the command ended on each node is in the events' results.
struct Listener {
  std::function<void(v1::RunEvent)> on_event;
  std::function<void(absl::Status)> on_done;
};

// Most commands at once that a node executes, and as many that it passes on. An operator types a
// few; a loop gone wild must not fill the node with processes.
inline constexpr size_t kMaxAtOnce = 8;

// Decides where a command runs, and sees it through on both nodes. What was started runs to its end
// whether anybody listens or not. Loop thread. Held by shared_ptr, because what the gRPC threads
// post may come after the adapter is gone.
class Runs : public std::enable_shared_from_this<Runs> {
 public:
  // `peer` may be used until Stop().
  Runs(Loop& loop, Catalogue catalogue, std::string node, std::string peer_name, PeerCalls& peer);
  ~Runs();

  void AssumeRole(core::Role role, core::Term term);
  // Holds for what begins from now on.
  void SetCatalogue(Catalogue catalogue) { catalogue_ = std::move(catalogue); }

  // An operator's wish on this node: run here and then on the peer if this node is master, passed
  // on to the peer otherwise. UNAVAILABLE if it would have to be passed on and nobody answers.
  void Run(const v1::RunRequest& request, Listener listener);
  // The peer passes one on: FAILED_PRECONDITION unless this node is master, so that two backups do
  // not play ball.
  void RunAsMaster(const v1::RunRequest& request, Listener listener) {
    RunHere(request, std::move(listener), /*of_peer=*/true);
  }
  // The master's word: run here alone. FAILED_PRECONDITION if its term is lower than one seen, or
  // if this node is master itself.
  void Replicate(const v1::ReplicateRequest& request, Listener listener);

  // Calls `ended` once nothing of this node's own runs any more, here or on the peer; what is asked
  // of it as the master from now on waits, at most kMaxAtOnce, until Release().
  void Hold(std::function<void()> ended);
  // What waits goes on, as if it were asked now: mastership may have moved.
  void Release();

  // Ends what runs and what waits, with UNAVAILABLE. Nothing is called after it.
  void Stop();

 private:
  struct Active;
  struct Held {
    v1::RunRequest request;
    Listener listener;
    bool of_peer = false;  // must not be passed on again
  };

  void RunHere(const v1::RunRequest& request, Listener listener, bool of_peer);
  // What may begin: resolved against the catalogue, within kMaxAtOnce.
  absl::StatusOr<std::shared_ptr<Active>> Begin(const v1::RunRequest& request, Listener listener);
  // Runs it here; `then(started)` follows its result.
  void Execute(const std::shared_ptr<Active>& run, std::function<void(bool started)> then);
  void ContinueOnPeer(const std::shared_ptr<Active>& run);
  void EndOnPeer(const std::shared_ptr<Active>& run, const absl::Status& status);
  void End(const std::shared_ptr<Active>& run, const absl::Status& status);
  void PassOn(const v1::RunRequest& request, Listener listener);

  Loop& loop_;
  Catalogue catalogue_;
  const std::string node_;
  const std::string peer_name_;
  PeerCalls& peer_;
  core::Role role_ = core::Role::kUnknown;
  core::Term term_;  // highest seen
  absl::flat_hash_set<std::shared_ptr<Active>> active_;
  size_t passed_on_ = 0;
  bool holding_ = false;
  std::function<void()> all_ended_;  // not called yet
  std::vector<Held> held_;
  bool stopped_ = false;
};

}  // namespace zcluster::command
