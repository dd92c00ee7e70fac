// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "common/access/client.h"
#include "common/access/guard.h"
#include "common/loop.h"

namespace zcluster::access {

// A call that came in.
struct Asked {
  const grpc::ServerContextBase& context;
  absl::string_view method;  // "zcluster.v1.ClusterService/Nodes"
  std::string what = {};     // for the audit: without secrets, at most a line
};

// Where gRPC's threads hand their questions to the loop, if the guard lets them. Every call is
// answered exactly once, even when the loop will never run again: a server cannot be shut down
// while a call is unanswered.
class Desk {
 public:
  // Both must outlive this object.
  Desk(Loop& loop, Guard& guard);
  ~Desk();

  // `question`, which sees to the client's answer, is called on the loop. A client that may not
  // call is told so instead; one that comes too late, that the agent is stopping. Within the call's
  // handler; any thread; never blocks.
  void Ask(const Asked& asked, const std::shared_ptr<Client>& client,
           std::function<void()> question);

  // Answers all that waits; later questions are answered at once. Loop thread, or after the loop
  // has ended.
  void Close();

 private:
  struct State;
  Loop& loop_;
  Guard& guard_;
  const std::shared_ptr<State> state_;  // shared with what is posted, which may run after us
};

}  // namespace zcluster::access
