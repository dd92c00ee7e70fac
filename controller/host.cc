// SPDX-License-Identifier: Apache-2.0
#include "controller/host.h"

#include <chrono>
#include <utility>

#include "common/access/server.h"
#include "common/credential.h"
#include "common/file.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::controller {
namespace {

// Whose members steer the fleet from this machine.
constexpr char kGroup[] = "zcluster";
// How old what is shown as metrics may be.
constexpr absl::Duration kFigures = absl::Seconds(1);
constexpr auto kStop = std::chrono::milliseconds(200);

Hub::Options HubOptions(const Settings& s) {
  return {.fleet = s.fleet,
          .controller = s.name,
          .version = ZC_VERSION,
          .report_interval = s.report_interval,
          .max_agents = s.max_agents,
          .addresses = s.api_addresses};
}

Signer SignerOf(Authority& authority, const Settings& s) {
  return {.sign = [&authority](const std::string& request,
                               const pki::Terms& terms) { return authority.Sign(request, terms); },
          .ca = [&authority] { return authority.Ca(); },
          .lifetime = s.certificate_lifetime};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> Host::Start(Loop& loop, const Paths& paths,
                                                  const Settings& settings) {
  ZC_ASSIGN_OR_RETURN(std::unique_ptr<access::AuditLog> audit,
                      access::AuditLog::Open({.path = paths.AuditFile()}));
  ZC_ASSIGN_OR_RETURN(std::unique_ptr<Authority> authority,
                      Authority::Open(loop, {.directory = paths.IdentityDir(),
                                             .fleet = settings.fleet,
                                             .name = settings.name,
                                             .lifetime = settings.certificate_lifetime}));
  ZC_ASSIGN_OR_RETURN(
      std::unique_ptr<Store> store,
      Store::Open(loop, {.path = paths.StoreFile(), .max_events = settings.max_events}));
  std::unique_ptr<Host> host(
      new Host(loop, paths, settings, std::move(audit), std::move(authority), std::move(store)));
  ZC_RETURN_IF_ERROR(host->OpenDoors(paths, settings));
  return host;
}

Host::Host(Loop& loop, const Paths&, const Settings& settings,
           std::unique_ptr<access::AuditLog> audit, std::unique_ptr<Authority> authority,
           std::unique_ptr<Store> store)
    : loop_(loop),
      audit_(std::move(audit)),
      authority_(std::move(authority)),
      store_(std::move(store)),
      access_(*audit_),
      hub_(loop, HubOptions(settings), *store_, SignerOf(*authority_, settings),
           [this](std::vector<access::Operator> operators) {
             access_.SetOperators(std::move(operators));
           }) {
  access_.SetPair(settings.fleet, "");
}

absl::Status Host::OpenDoors(const Paths& paths, const Settings& s) {
  ZC_RETURN_IF_ERROR(MakeDirectories(paths.EnrolmentDir(), 0700));
  ZC_ASSIGN_OR_RETURN(const tls::Credential enrolment_key,
                      tls::LoadCredential(paths.EnrolmentDir()));
  ZC_ASSIGN_OR_RETURN(
      enrolment_,
      Enrolment::Start(loop_, {.listen = s.enrolment_listen, .own = enrolment_key}, hub_, *audit_));
  api_ = std::make_unique<Api>(loop_, hub_, *enrolment_, access_, *audit_);
  const access::Port port{
      s.api_listen, tls::ServerCredentials(authority_->files(), access_.ExpectOperators(),
                                           [](const std::string& reason) {
                                             log::Warning("operator_refused", {{"reason", reason}});
                                           })};
  ZC_ASSIGN_OR_RETURN(operators_, access::StartServer(access_, api_->services(), port));
  ZC_ASSIGN_OR_RETURN(local_, access::LocalListener::Listen(loop_, access_.local_callers(),
                                                            paths.Socket(), kGroup));
  local_->Serve(operators_.get());
  http_ = std::make_unique<http_console::HttpConsole>(
      loop_,
      http_console::Options{
          .program = "zcontroller", .version = ZC_VERSION, .listen = s.metrics_listen},
      console_.content());
  figures_ = loop_.Every(kFigures, [this] { console_.Show(hub_.figures()); });
  // Last: agents come at once, and in numbers.
  ZC_ASSIGN_OR_RETURN(agents_, Agents::Start(loop_,
                                             {.listen = s.agents_listen,
                                              .fleet = s.fleet,
                                              .files = authority_->files(),
                                              .max_agents = s.max_agents,
                                              .messages_per_second = s.agent_messages_per_second},
                                             hub_));
  hub_.SetAgents(agents_.get());
  return absl::OkStatus();
}

Host::~Host() {
  figures_.reset();
  http_.reset();
  local_.reset();
  hub_.Stop();
  agents_.reset();
  hub_.SetAgents(nullptr);
  if (api_ != nullptr) api_->Stop();
  if (operators_ != nullptr) operators_->Shutdown(std::chrono::system_clock::now() + kStop);
  operators_.reset();
  api_.reset();
  enrolment_.reset();
}

}  // namespace zcluster::controller
