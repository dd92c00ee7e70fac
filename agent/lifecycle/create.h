// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/api/lifecycle.h"
#include "agent/bootstrap/bootstrap.h"
#include "agent/config/config.h"
#include "agent/lifecycle/member.h"
#include "agent/lifecycle/node.h"
#include "agent/lifecycle/paths.h"
#include "common/loop.h"
#include "zcluster/v1/bootstrap.pb.h"

namespace zcluster::lifecycle {

// A pair in the making, on its future master: one step after the other, each told when it is done.
// What fails, at any step, undoes all: the end of the join's stream does so on the other node, and
// here it is done before the end is told. Loop thread.
class Create {
 public:
  // The pair that `request` asks for, as far as this node alone can say: INVALID_ARGUMENT names the
  // field. Nothing is done.
  static absl::Status CheckRequest(const v1::CreateRequest& request,
                                   const config::AgentSettings& self);

  // Begins. All references outlive this object; `over` is called last, once, after the end was told
  // to `steps`, and may destroy it.
  Create(Loop& loop, Node& node, const Paths& paths, const config::AgentSettings& self,
         v1::CreateRequest request, api::StepSink steps,
         std::function<void(const absl::Status&)> over);
  ~Create();

  // The agent stops: whoever waits is told, and the next start undoes what was done.
  void Abandon();
  const std::string& id() const { return id_; }

 private:
  // The steps, in order; each ends in the next, or in Fail().
  void Reach();
  void Authenticate();
  void Inspect();
  void Compare(const v1::Facts& there, absl::Time asked);
  void MakeIdentities();
  absl::Status SignAll(const std::string& request_there);
  void WriteHere();
  void StartThere();
  void AwaitBoth();
  void LookThere();
  void Commit();

  // One message to the other node; an error ends the create, a reply goes to `then`.
  void Ask(v1::JoinRequest request, absl::Duration limit, std::function<void(v1::JoinReply)> then);
  void Begin(std::string step) { step_ = std::move(step); }
  void Done(std::string what);
  void Fail(const absl::Status& why);
  void Undo(const absl::Status& why);
  void End(const absl::Status& status);
  // What is still missing for both to be healthy, as seen from here.
  std::string MissingHere() const;

  Loop& loop_;
  Node& node_;
  const Paths paths_;
  const config::AgentSettings self_;
  v1::CreateRequest request_;
  api::StepSink steps_;
  std::function<void(const absl::Status&)> over_;
  const std::string id_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  std::string step_;  // the one under way, for what failed
  std::string bootstrap_;
  std::string fingerprint_;
  std::string token_secret_;
  std::unique_ptr<bootstrap::Join> join_;
  v1::Facts here_;
  v1::Facts there_;
  Membership member_;    // what this node gets
  v1::Install install_;  // what the other gets
  bool written_ = false;
  bool failing_ = false, decided_ = false, ended_ = false;
  std::string missing_there_ = "it has not said yet";
  bool looking_ = false;
  bool linked_ = false, serving_ = false, synchronised_ = false;
  absl::Time deadline_;
  Loop::Registration poll_;
};

}  // namespace zcluster::lifecycle
