// SPDX-License-Identifier: Apache-2.0
// zcontroller: reads its file, takes its place, and serves until told to stop. What it is made of:
// host.cc.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "absl/synchronization/mutex.h"
#include "common/file.h"
#include "common/grpc_life.h"
#include "common/log.h"
#include "common/pid_file.h"
#include "common/status.h"
#include "common/tls.h"
#include "controller/config/config.h"
#include "controller/host.h"

namespace zcluster::controller {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitBadConfiguration = 2;

// A descriptor an agent, and some of our own: as many as we may.
void AllowManyConnections() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

absl::Status Serve(const Paths& paths, const Settings& settings) {
  ZC_RETURN_IF_ERROR(MakeDirectories(paths.state_dir, 0700));
  ZC_RETURN_IF_ERROR(MakeDirectories(paths.run_dir, 0700));
  ZC_ASSIGN_OR_RETURN(const UniqueFd pid_file, TakePidFile(paths.PidFile(), "zcontroller"));
  AllowManyConnections();
  Loop loop;
  ZC_ASSIGN_OR_RETURN(std::unique_ptr<Host> host, Host::Start(loop, paths, settings));
  const Loop::Registration signals =
      loop.OnSignals({SIGTERM, SIGINT}, [&loop](int) { loop.Quit(); });
  log::Info("controller_started", {{"version", ZC_VERSION}, {"fleet", settings.fleet}});
  loop.Run();
  host.reset();
  log::Info("controller_stopped");
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Paths paths;
  bool check = false;
  CLI::App app{"zcontroller: sees many zcluster pairs and steers them", "zcontroller"};
  app.add_option("--config", paths.config_file, "Its configuration; may be missing")
      ->capture_default_str();
  app.add_option("--state-dir", paths.state_dir, "What must survive a reboot")
      ->capture_default_str();
  app.add_option("--run-dir", paths.run_dir, "Socket, pid file")->capture_default_str();
  app.add_flag("--check", check, "Check the configuration and end: exit code 0 or 2");
  app.set_version_flag("--version", "zcontroller " ZC_VERSION);
  app.footer(
      "Exit codes: 0 told to stop; 1 cannot run here; 2 wrong flags or configuration.\n"
      "Examples:\n  zcontroller --check\n  zcontroller --config /etc/zcluster/controller.yaml");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitBadConfiguration;
  }
  ::signal(SIGPIPE, SIG_IGN);
  // Debian's Abseil looks for deadlocks at each lock, which costs a twentieth of all that we do.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  tls::RequireTls13();
  KeepGrpc();
  const absl::StatusOr<Settings> settings = LoadSettings(paths.config_file);
  if (!settings.ok()) {
    std::cerr << settings.status().message() << "\n";
    return kExitBadConfiguration;
  }
  if (check) {
    std::cout << "the configuration is good\n";
    return 0;
  }
  const absl::Status status = Serve(paths, *settings);
  if (status.ok()) return 0;
  log::Error("controller_failed", {{"problem", std::string(status.message())}});
  return kExitFailed;
}

}  // namespace
}  // namespace zcluster::controller

int main(int argc, char** argv) { return zcluster::controller::Main(argc, argv); }
