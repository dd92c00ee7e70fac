// SPDX-License-Identifier: Apache-2.0
#include "agent/host.h"

#include <utility>

#include "common/access/server.h"
#include "agent/conntrack/conntrack.h"
#include "agent/heartbeat/heartbeat.h"
#include "agent/lifecycle/member.h"
#include "agent/packetfilter/packetfilter.h"
#include "agent/settings.h"
#include "common/check.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster {
namespace {

// Whose members steer the pair from this node.
constexpr char kGroup[] = "zcluster";
// A call that ends a pair is answered by what it ended.
constexpr absl::Duration kFarewell = absl::Seconds(2);
constexpr absl::Duration kStop = absl::Milliseconds(200);

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> Host::Make(Loop& loop, const lifecycle::Paths& paths) {
  ZC_ASSIGN_OR_RETURN(std::unique_ptr<access::AuditLog> audit,
                      access::AuditLog::Open({.path = paths.state_dir + "/audit.log"}));
  ZC_ASSIGN_OR_RETURN(const config::AgentSettings self, lifecycle::ReadSelf(paths));
  std::unique_ptr<Host> host(new Host(loop, paths, self, std::move(audit)));
  ZC_ASSIGN_OR_RETURN(host->idle_server_,
                      access::StartServer(host->access_, host->idle_api_.local_services(), {}));
  ZC_ASSIGN_OR_RETURN(host->listener_,
                      access::LocalListener::Listen(loop, host->access_.local_callers(),
                                                    paths.run_dir + "/agent.sock", kGroup));
  host->listener_->Serve(host->idle_server_.get());
  return host;
}

Host::Host(Loop& loop, const lifecycle::Paths& paths, const config::AgentSettings& self,
           std::unique_ptr<access::AuditLog> audit)
    : loop_(loop),
      paths_(paths),
      audit_(std::move(audit)),
      access_(*audit_),
      lifecycle_(loop, *this, paths, access_, *audit_),
      console_(self.node_name),
      http_console_(std::make_unique<http_console::HttpConsole>(loop, ConsoleOptions(self),
                                                                console_.content())),
      idle_api_(loop, IdleApiOptions(paths), nullptr, access_, *audit_, lifecycle_) {}

Host::~Host() { ZC_CHECK(pair_ == nullptr && retired_ == nullptr); }

void Host::Stop() {
  const auto soon = std::chrono::system_clock::now() + absl::ToChronoMilliseconds(kStop);
  listener_.reset();
  http_console_.reset();
  lifecycle_.Stop();
  idle_api_.Stop();
  JoinRetired();
  if (pair_ != nullptr) {
    pair_->Stop();
    pair_->ShutDown(kStop);
    pair_.reset();
  }
  if (idle_server_ != nullptr) idle_server_->Shutdown(soon);
}

absl::Status Host::Start(const config::Settings& settings) {
  ZC_CHECK(pair_ == nullptr);
  JoinRetired();
  access_.SetPair(settings.pair->name, settings.agent.peer_name);
  SetOperators(settings);
  absl::StatusOr<std::unique_ptr<Pair>> pair = Pair::Start(
      {loop_, paths_, access_, *audit_, lifecycle_, lifecycle_.peer_service(), console_}, settings);
  if (!pair.ok()) {
    access_.SetPair("", "");
    access_.SetOperators({});
    return pair.status();
  }
  pair_ = *std::move(pair);
  settings_ = settings;
  listener_->Serve(&pair_->operators());
  log::Info("member_started", {{"node", settings.agent.node_name}, {"pair", settings.pair->name}});
  return absl::OkStatus();
}

void Host::SetOperators(const config::Settings& settings) {
  std::vector<access::Operator> operators;
  for (const config::Operator& one : settings.pair->operators) {
    operators.push_back({one.name, one.role, one.key});
  }
  access_.SetOperators(std::move(operators));
}

void Host::Check(const config::Settings& settings, Done done) {
  heartbeat::Heartbeat::CheckConfig(loop_, HeartbeatOptions(WithInterfaces(settings), paths_),
                                    std::move(done));
}

void Host::Reconfigure(const config::Settings& settings, Done done) {
  ZC_CHECK(pair_ != nullptr);
  SetOperators(settings);
  settings_ = settings;
  pair_->Reconfigure(settings, std::move(done));
}

void Host::EndHeartbeat(const config::Settings&, Done done) {
  ZC_CHECK(pair_ != nullptr);
  pair_->EndHeartbeat(std::move(done));
}

void Host::End(const config::Settings& given, Done done) {
  const config::Settings settings = WithInterfaces(given);
  JoinRetired();
  if (pair_ != nullptr) {
    if (listener_ != nullptr) listener_->Serve(idle_server_.get());
    retired_ = std::move(pair_);
    retired_->Stop();
  }
  absl::Status status = packetfilter::PacketFilter(PacketFilterOptions(settings)).Remove();
  status.Update(conntrack::GiveBack(ConntrackOptions(settings, paths_)));
  // Another one than the member's: that may have run in an earlier process.
  farewell_ = std::make_unique<heartbeat::Heartbeat>(loop_, HeartbeatOptions(settings, paths_));
  farewell_->GiveBack([this, status, done = std::move(done)] {
    loop_.Post([this] { farewell_.reset(); });
    log::Info("member_ended", {});
    // First: whoever asked for it over the member's servers shall hear of it, and keeps the right
    // to until then.
    done(status);
    access_.SetPair("", "");
    access_.SetOperators({});
    ShutDownRetired();
  });
}

void Host::ShutDownRetired() {
  if (retired_ == nullptr) return;
  retirement_ = std::thread([this] {
    retired_->ShutDown(kFarewell);
    loop_.Post([this] { JoinRetired(); });
  });
}

void Host::JoinRetired() {
  if (retirement_.joinable()) retirement_.join();
  if (retired_ == nullptr) return;
  retired_->ShutDown(absl::ZeroDuration());  // if nobody has done so: the agent stops
  retired_.reset();
}

const core::View& Host::view() const {
  static const core::View nothing;
  return pair_ == nullptr ? nothing : pair_->view();
}

std::shared_ptr<grpc::Channel> Host::peer() const {
  return pair_ == nullptr ? nullptr : pair_->peer();
}

void Host::Report(core::Event event) {
  if (pair_ != nullptr) pair_->Report(std::move(event));
}

}  // namespace zcluster
