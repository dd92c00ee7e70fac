// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/bootstrap/bootstrap.h"
#include "agent/config/config.h"
#include "common/access/guard.h"
#include "agent/lifecycle/member.h"
#include "agent/lifecycle/node.h"
#include "agent/lifecycle/paths.h"
#include "agent/lifecycle/peer_calls.h"
#include "common/loop.h"

namespace zcluster::lifecycle {

// This node is joined to a pair by the other one, its future master, which says what comes next. A
// stream that ends before the commit undoes all; where the caller may have decided already (we had
// said that we are healthy), it is asked over the pair's own link, for a bounded time. Loop thread.
class Joining : public bootstrap::JoinHandler {
 public:
  struct Observer {
    // Whether a join may begin: FAILED_PRECONDITION says why not.
    std::function<absl::Status()> may_begin;
    // This node is a member now.
    std::function<void()> joined;
    // It is not; OK: it is as it was.
    std::function<void(const absl::Status&)> undone;
  };
  // All outlive this object.
  Joining(Loop& loop, Node& node, const Paths& paths, const config::AgentSettings& self,
          AuditTrail& audit, Observer observer);
  ~Joining() override;

  bool under_way() const { return under_way_; }
  // A start found that this node had said it was healthy: the member runs, and the other node is
  // asked how it ended.
  void Resume(const std::string& id);
  // The agent stops: the end of a stream undoes nothing any more, the next start does.
  void Stop();
  const std::string& id() const { return id_; }

  absl::Status Begin(const std::string& address) override;
  void Carry(const v1::JoinRequest& request, Reply reply) override;
  void End() override;

 private:
  absl::StatusOr<v1::JoinReply> Answer(const v1::JoinRequest& request);
  absl::StatusOr<v1::JoinReply> MakeKey(const v1::MakeKey& wanted);
  absl::StatusOr<v1::JoinReply> Install(const v1::Install& wanted);
  absl::Status CheckInstall(const v1::Install& wanted, Membership& member) const;
  absl::StatusOr<v1::JoinReply> Look();
  absl::StatusOr<v1::JoinReply> Commit();
  // The caller is gone, and may have decided.
  void AskHowItEnded();
  absl::Status BecomeMember();
  void Undo(const std::string& why);
  void Forget();
  // How the join ended, for the audit.
  void Audit(const std::string& result);

  Loop& loop_;
  Node& node_;
  const Paths paths_;
  const config::AgentSettings& self_;
  AuditTrail& audit_;
  const Observer observer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  bool under_way_ = false;
  std::string from_;
  v1::Ask asked_;
  std::string key_, uri_, interface_;
  std::string id_;
  bool written_ = false;
  bool said_healthy_ = false;
  bool prepared_ = false;  // the journal says so
  bool stopped_ = false;
  absl::Time doubt_ends_;
  std::unique_ptr<PeerCalls> calls_;
  Loop::Registration retry_;
  Loop::Registration limit_;  // of the whole join
};

}  // namespace zcluster::lifecycle
