// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "agent/config/config.h"
#include "agent/lifecycle/change.h"
#include "agent/lifecycle/node.h"
#include "agent/lifecycle/paths.h"
#include "agent/lifecycle/peer_calls.h"
#include "common/digest.h"
#include "common/loop.h"
#include "zcluster/v1/config.pb.h"
#include "zcluster/v1/configuration.pb.h"

namespace zcluster::lifecycle {

// The pair's configuration as this node holds it, and its way to both nodes. Loop thread.
//
// A change is proposed to the peer, which checks it in full and keeps it on disk; then this node
// puts it in its own place, which is the decision; then the peer is told. Whoever misses the end of
// it asks the other: the later configuration (by term, then by generation) counts, so a crash at
// any instruction leads to one of the two on both.
class Configuration {
 public:
  using Done = std::function<void(const absl::Status&)>;
  using Step = std::function<void(std::string)>;

  // `settings` and `present` are those of the member that runs. References outlive this object.
  Configuration(Loop& loop, Node& node, const Paths& paths, config::Settings settings,
                v1::PairConfig present);
  // Whoever waits for the end of a change is told that the member ended.
  ~Configuration();

  const v1::PairConfig& present() const { return present_; }
  const config::Settings& settings() const { return settings_; }
  // What the peer told of itself last; empty values before that.
  const v1::FetchResponse& peer() const { return peer_; }

  // Whether `wanted` would be taken by both nodes; nothing is changed.
  void Check(const v1::PairConfig& wanted, Done done);
  // Makes `wanted` the configuration of both nodes, as the next generation, or leaves both as they
  // are: ABORTED if another change is under way, or came first. `step` is told what is done.
  // UNKNOWN if it was decided, and so will come, but is not in use everywhere yet.
  void Apply(v1::PairConfig wanted, Step step, Done done);
  // The same where waiting for the peer would be worse than a conflict (a credential that must end
  // now): if the peer cannot be asked this node decides alone, and the peer takes it when it is
  // back.
  void ApplyEvenAlone(v1::PairConfig wanted, Step step, Done done);

  // What the peer asks (proto ConfigurationService).
  void Propose(const v1::ProposeRequest& request, Done done);
  void Commit(const v1::CommitRequest& request, Done done);
  absl::Status Abandon(const v1::AbandonRequest& request);
  v1::FetchResponse Fetch(const v1::FetchRequest& request) const;

  // Whether a change is on its way that this node began.
  bool busy() const { return change_.has_value(); }

 private:
  // A change that was begun here.
  struct Change {
    v1::PairConfig wanted;
    std::string base;  // digest of what it was made from
    bool even_alone = false;
    bool unheard = false;  // the peer was not reached
    Step step;
    Done done;
  };

  absl::StatusOr<config::Settings> Read(const v1::PairConfig& wanted) const;
  // Would this node take it? `done` does not come once this object is gone.
  void CheckHere(const v1::PairConfig& wanted, Done done);
  void Begin(v1::PairConfig wanted, bool even_alone, Step step, Done done);
  void ProposeToPeer();
  void Decide();
  // The peer's turn, and then ours if it was to go first.
  void CommitOnPeer();
  void FinishHere();
  void End(const absl::Status& status);

  // Puts it in the file's place, durably.
  absl::Status Keep(const v1::PairConfig& wanted);
  // Has the running parts take what is present, one after the other; `done` hears how that went.
  void Use(Done done);
  void UseNext();
  bool InUse() const { return used_ == Sha256(PairText(present_)); }

  // Asks the peer what it holds, takes that if it is the later one, and uses what is not in use.
  void Compare();
  void Take(const std::string& document);
  void KeepRevoked(const v1::PairConfig& lost);

  Loop& loop_;
  Node& node_;
  const Paths paths_;
  config::Settings settings_;
  v1::PairConfig present_;
  std::string used_;  // digest of what the parts have taken
  PeerCalls calls_;
  v1::FetchResponse peer_;
  absl::optional<Change> change_;
  std::vector<Done> awaiting_use_;
  bool using_ = false;
  bool peer_first_ = false;  // not used here before the peer is known to hold it
  bool comparing_ = false;
  int looks_ = 0;
  std::string refused_;  // the peer's configuration that could not be taken, as logged last
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Loop::Registration timer_;
};

}  // namespace zcluster::lifecycle
