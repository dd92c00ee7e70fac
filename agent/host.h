// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/access/access.h"
#include "common/access/audit_log.h"
#include "common/access/local_listener.h"
#include "agent/api/api.h"
#include "agent/config/config.h"
#include "agent/console/console.h"
#include "agent/lifecycle/lifecycle.h"
#include "agent/lifecycle/node.h"
#include "agent/lifecycle/paths.h"
#include "agent/pair.h"
#include "common/console/http_console.h"
#include "common/loop.h"

namespace zcluster {

// The agent as a whole: what it always has (the local socket, who may call, the audit, the life
// cycle, the console), and the member of a pair while there is one. Loop thread.
class Host : public lifecycle::Node {
 public:
  // Opens the audit log and the local socket. The error means that the agent cannot run here.
  static absl::StatusOr<std::unique_ptr<Host>> Make(Loop& loop, const lifecycle::Paths& paths);
  ~Host() override;

  // Becomes what the files say.
  absl::Status Begin() { return lifecycle_.Start(); }
  // The agent stops; keepalived and the traffic go on.
  void Stop();

  absl::Status Start(const config::Settings& settings) override;
  void Check(const config::Settings& settings, Done done) override;
  void Reconfigure(const config::Settings& settings, Done done) override;
  void EndHeartbeat(const config::Settings& settings, Done done) override;
  void End(const config::Settings& settings, Done done) override;
  bool running() const override { return pair_ != nullptr; }
  const config::Settings& settings() const override { return settings_; }
  const core::View& view() const override;
  std::shared_ptr<grpc::Channel> peer() const override;
  void Report(core::Event event) override;

 private:
  Host(Loop& loop, const lifecycle::Paths& paths, const config::AgentSettings& self,
       std::unique_ptr<access::AuditLog> audit);
  void SetOperators(const config::Settings& settings);
  // Ends a retired member's servers where waiting for their calls disturbs nobody.
  void ShutDownRetired();
  void JoinRetired();

  Loop& loop_;
  const lifecycle::Paths paths_;
  const std::unique_ptr<access::AuditLog> audit_;
  access::Access access_;
  lifecycle::Lifecycle lifecycle_;
  console::Console console_;
  std::unique_ptr<http_console::HttpConsole> http_console_;
  // While in no pair; an operation that makes one began there, and ends there.
  api::Api idle_api_;
  std::unique_ptr<grpc::Server> idle_server_;
  std::unique_ptr<Pair> pair_;
  config::Settings settings_;  // of pair_
  std::unique_ptr<Pair> retired_;
  std::thread retirement_;
  std::unique_ptr<heartbeat::Heartbeat> farewell_;
  std::unique_ptr<access::LocalListener> listener_;
};

}  // namespace zcluster
