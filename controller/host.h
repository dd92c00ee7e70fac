// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/access/access.h"
#include "common/access/audit_log.h"
#include "common/access/local_listener.h"
#include "common/console/http_console.h"
#include "common/loop.h"
#include "controller/agents/agents.h"
#include "controller/api/api.h"
#include "controller/authority/authority.h"
#include "controller/config/config.h"
#include "controller/console/console.h"
#include "controller/enrolment/enrolment.h"
#include "controller/hub/hub.h"
#include "controller/store/store.h"

namespace zcluster::controller {

// Where a controller keeps what it is. All can be moved, so that several run on one machine.
struct Paths {
  std::string config_file = "/etc/zcluster/controller.yaml";
  std::string state_dir = "/var/lib/zcontroller";
  std::string run_dir = "/run/zcluster";

  std::string Socket() const { return run_dir + "/controller.sock"; }
  std::string PidFile() const { return run_dir + "/controller.pid"; }
  std::string StoreFile() const { return state_dir + "/fleet.db"; }
  std::string AuditFile() const { return state_dir + "/audit.log"; }
  std::string IdentityDir() const { return state_dir + "/tls"; }
  std::string EnrolmentDir() const { return state_dir + "/enrolment"; }
};

// A controller as a whole: what it remembers, whom it serves, on which doors. Loop thread.
class Host {
 public:
  // Serves all of it from now on. The error means that a controller cannot run here, and names the
  // remedy. `loop` outlives this.
  static absl::StatusOr<std::unique_ptr<Host>> Start(Loop& loop, const Paths& paths,
                                                     const Settings& settings);
  // Ends all streams; agents and pairs go on.
  ~Host();

 private:
  Host(Loop& loop, const Paths& paths, const Settings& settings,
       std::unique_ptr<access::AuditLog> audit, std::unique_ptr<Authority> authority,
       std::unique_ptr<Store> store);
  absl::Status OpenDoors(const Paths& paths, const Settings& settings);

  Loop& loop_;
  const std::unique_ptr<access::AuditLog> audit_;
  const std::unique_ptr<Authority> authority_;
  const std::unique_ptr<Store> store_;
  access::Access access_;
  Hub hub_;
  std::unique_ptr<Agents> agents_;
  std::unique_ptr<Enrolment> enrolment_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<grpc::Server> operators_;
  std::unique_ptr<access::LocalListener> local_;
  Console console_;
  Loop::Registration figures_;
  std::unique_ptr<http_console::HttpConsole> http_;
};

}  // namespace zcluster::controller
