// SPDX-License-Identifier: Apache-2.0
// zagent: reads its files, takes its place (one agent a run directory), and serves until told to
// stop. What it is made of: host.cc (what it always has) and pair.cc (what a member of a pair has).

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "absl/synchronization/mutex.h"
#include "agent/config/config.h"
#include "agent/heartbeat/boot.h"
#include "agent/host.h"
#include "agent/lifecycle/paths.h"
#include "agent/settings.h"
#include "common/file.h"
#include "common/grpc_life.h"
#include "common/log.h"
#include "common/pid_file.h"
#include "common/status.h"
#include "common/tls.h"

namespace zcluster {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitBadConfiguration = 2;

absl::Status Serve(const lifecycle::Paths& paths) {
  ZC_RETURN_IF_ERROR(MakeDirectories(paths.state_dir, 0700));
  ZC_RETURN_IF_ERROR(MakeDirectories(paths.run_dir, 0700));
  ZC_ASSIGN_OR_RETURN(const UniqueFd pid_file, TakePidFile(paths.run_dir + "/agent.pid", "zagent"));
  Loop loop;
  ZC_ASSIGN_OR_RETURN(const std::unique_ptr<Host> host, Host::Make(loop, paths));
  const absl::Status begun = host->Begin();
  if (begun.ok()) {
    const Loop::Registration signals =
        loop.OnSignals({SIGTERM, SIGINT}, [&loop](int) { loop.Quit(); });
    log::Info("agent_started", {{"version", ZC_VERSION}});
    loop.Run();
    log::Info("agent_stopped");
  }
  host->Stop();
  return begun;
}

int CloseBootGate(const lifecycle::Paths& paths) {
  const absl::StatusOr<std::string> done = heartbeat::CloseBootGate(HeartbeatDirectories(paths));
  if (!done.ok()) {
    std::cerr << "boot-gate: " << done.status().message() << "\n";
    return kExitFailed;
  }
  std::cout << "boot-gate: " << *done << "\n";
  return 0;
}

int Main(int argc, char** argv) {
  lifecycle::Paths paths;
  bool check = false;
  CLI::App app{"zagent: keeps one node of a zcluster pair: heartbeat, replication, takeover",
               "zagent"};
  app.add_option("--config", paths.agent_file, "This node's configuration; may be missing")
      ->capture_default_str();
  app.add_option("--pair", paths.pair_file, "The pair's configuration, the same on both nodes")
      ->capture_default_str();
  app.add_option("--state-dir", paths.state_dir, "What must survive a reboot")
      ->capture_default_str();
  app.add_option("--run-dir", paths.run_dir, "Sockets, pid files")->capture_default_str();
  app.add_flag("--check", check, "Check the configuration and end: exit code 0 or 2");
  const CLI::App* boot_gate = app.add_subcommand(
      "boot-gate",
      "Before keepalived is started by others than the agent, as at boot: have it stand aside for "
      "a while, so that an agent may look first who serves");
  app.set_version_flag("--version", "zagent " ZC_VERSION);
  app.footer(
      "Exit codes: 0 told to stop; 1 cannot run here; 2 wrong flags or configuration.\n"
      "Examples:\n  zagent --check\n  zagent boot-gate\n  zagent --config "
      "/etc/zcluster/agent.yaml");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitBadConfiguration;
  }
  if (boot_gate->parsed()) return CloseBootGate(paths);
  ::signal(SIGPIPE, SIG_IGN);
  // Debian's Abseil looks for deadlocks at each lock, which costs a twentieth of all that we do.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  tls::RequireTls13();
  KeepGrpc();
  const absl::StatusOr<config::Settings> settings = config::Load(paths.agent_file, paths.pair_file);
  if (!settings.ok()) {
    std::cerr << settings.status().message() << "\n";
    return kExitBadConfiguration;
  }
  if (check) {
    std::cout << "the configuration is good"
              << (settings->agent.in_pair ? "\n" : "; this node is in no pair\n");
    return 0;
  }
  const absl::Status status = Serve(paths);
  if (status.ok()) return 0;
  log::Error("agent_failed", {{"problem", std::string(status.message())}});
  return kExitFailed;
}

}  // namespace
}  // namespace zcluster

int main(int argc, char** argv) { return zcluster::Main(argc, argv); }
