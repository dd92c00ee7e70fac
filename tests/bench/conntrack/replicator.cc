// SPDX-License-Identifier: Apache-2.0
// zcluster-replicator: an agent's replication of connections alone, made of the agent's own parts
// and settings: adapter, mutual TLS, server and channel to the peer. No brain: roles are ordered on
// standard input ("master TERM", "backup TERM"; its end ends the program). What the adapter reports
// goes to standard output, a line each time: "ROLE synchronised FLOWS" or "ROLE - FLOWS PROBLEM".
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "agent/conntrack/conntrack.h"
#include "agent/peer/channel.h"
#include "agent/peer/server.h"
#include "common/grpc_life.h"
#include "common/loop.h"
#include "common/status.h"
#include "common/tls.h"
#include "tests/support/certificates.h"
#include "tests/support/open_guard.h"

namespace zcluster {
namespace {

constexpr char kPair[] = "bench";
constexpr int kPort = 7700;

struct Flags {
  std::string directory;  // of the certificates
  std::string name, peer;
  std::string address, peer_address;
};

tls::Files FilesOf(const Flags& flags) {
  const std::string own = absl::StrCat(flags.directory, "/", flags.name);
  return {own + ".crt", own + ".key", flags.directory + "/bench-ca.crt"};
}

void RefusedBy(const std::string& reason) { absl::FPrintF(stderr, "refused: %s\n", reason); }

class Replicator : public EventSink {
 public:
  explicit Replicator(const Flags& flags)
      : files_(FilesOf(flags)),
        own_uri_(tls::NodeUri(kPair, flags.name)),
        peer_{.uri = tls::NodeUri(kPair, flags.peer)},
        listen_(absl::StrCat(flags.address, ":", kPort)),
        adapter_(loop_, OptionsOf(flags),
                 peer::MakeChannel({absl::StrCat(flags.peer_address, ":", kPort)},
                                   tls::ClientCredentials(files_, peer_, &RefusedBy)),
                 guard_) {}

  absl::Status Serve() {
    ZC_RETURN_IF_ERROR(tls::CheckOwnFiles(files_, own_uri_));
    ZC_ASSIGN_OR_RETURN(
        server_, peer::StartServer(listen_, tls::ServerCredentials(files_, peer_, &RefusedBy),
                                   {&adapter_.service()}));
    ZC_RETURN_IF_ERROR(adapter_.Start(*this));
    std::thread orders([this] { ReadOrders(); });
    loop_.Run();
    orders.join();
    adapter_.Stop();
    server_->Shutdown(std::chrono::system_clock::now());
    return absl::OkStatus();
  }

  void Report(core::Event event) override {
    const auto* reported = std::get_if<core::ConntrackReported>(&event);
    if (reported == nullptr) return;
    const core::ConntrackState& state = reported->state;
    Say(absl::StrCat(state.synchronised ? "synchronised" : "-", " ", state.flows, " ",
                     state.problem));
  }

 private:
  static conntrack::Options OptionsOf(const Flags& flags) {
    conntrack::Options options;
    options.node_name = flags.name;
    options.own_addresses = {flags.address, flags.peer_address};
    return options;
  }

  void ReadOrders() {
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string role;
      uint64_t term = 0;
      words >> role >> term;
      loop_.Post([this, role, term] {
        role_ = role;
        adapter_.Perform(core::AssumeRole{
            role == "master" ? core::Role::kMaster : core::Role::kBackup, core::Term{term}});
        Say("ordered");
      });
    }
    loop_.Quit();
  }

  void Say(const std::string& what) const {
    absl::PrintF("%s %s\n", role_, what);
    std::fflush(stdout);
  }

  Loop loop_;
  test::OpenGuard guard_;
  const tls::Files files_;
  const std::string own_uri_;
  const tls::Expected peer_;
  const std::string listen_;
  conntrack::Conntrack adapter_;
  std::unique_ptr<grpc::Server> server_;
  std::string role_ = "none";
};

// Of a pair of nodes, `a` and `b`.
absl::Status MakeCertificates(const Flags& flags) {
  const test::Authority authority(flags.directory, "bench");
  for (const char* node : {"a", "b"})
    authority.Issue(node, {.uri = tls::NodeUri(kPair, node), .valid_to = absl::Hours(24)});
  return absl::OkStatus();
}

absl::Status ServeNode(const Flags& flags) {
  // As agent/main.cc begins.
  ::signal(SIGPIPE, SIG_IGN);
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  tls::RequireTls13();
  KeepGrpc();
  return Replicator(flags).Serve();
}

int Main(int argc, char** argv) {
  CLI::App app{"Replicates connections as an agent does", "zcluster-replicator"};
  app.require_subcommand(1);
  Flags flags;
  CLI::App* certificates = app.add_subcommand("certificates", "Make those of nodes a and b");
  CLI::App* serve = app.add_subcommand("serve", "Be one of them");
  for (CLI::App* sub : {certificates, serve})
    sub->add_option("directory", flags.directory, "Where they are")->required();
  serve->add_option("--name", flags.name, "a or b")->required();
  serve->add_option("--address", flags.address, "Its own")->required();
  serve->add_option("--peer-name", flags.peer, "b or a")->required();
  serve->add_option("--peer-address", flags.peer_address, "The peer's")->required();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = certificates->parsed() ? MakeCertificates(flags) : ServeNode(flags);
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "zcluster-replicator: %s\n", status.message());
  return 1;
}

}  // namespace
}  // namespace zcluster

int main(int argc, char** argv) { return zcluster::Main(argc, argv); }
