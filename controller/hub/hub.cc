// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/hub.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/log.h"
#include "common/protocol.h"
#include "common/status.h"
#include "common/strings.h"
#include "controller/core/heard.h"
#include "controller/core/pacing.h"
#include "controller/hub/keys.h"

namespace zcluster::controller {
namespace {

bool SpeaksWithUs(uint32_t protocol) {
  return protocol + 1 >= kFleetProtocol && protocol <= kFleetProtocol + 1;
}

// Whole seconds, for people.
std::string ForPeople(absl::Duration duration) {
  return absl::FormatDuration(absl::Trunc(duration, absl::Seconds(1)));
}

}  // namespace

Hub::Hub(Loop& loop, Options options, Store& store, Signer signer, Admit admit)
    : loop_(loop),
      options_(std::move(options)),
      store_(store),
      signer_(std::move(signer)),
      admit_(std::move(admit)),
      acknowledgements_(loop, options_.acknowledge_within,
                        [this](const AgentId& agent, uint64_t taken) {
                          v1::ControllerMessage message;
                          message.mutable_events_taken()->set_number(taken);
                          if (agents_ != nullptr) agents_->Send(agent, std::move(message));
                        }),
      ledger_(store, [this](const Change& change) { Applied(change); }),
      intake_(loop, store,
              {.taken =
                   [this](const AgentId& agent, const std::string& journal, uint64_t taken,
                          size_t events) {
                     ledger_.Taken(agent, journal, taken);
                     acknowledgements_.Taken(agent, taken, events);
                   },
               .lost =
                   [this](const AgentId& agent, uint64_t count) {
                     events_lost_ += count;
                     Tell(agent, "events_lost", true, {{"count", absl::StrCat(count)}});
                   },
               .grown =
                   [this](std::vector<v1::FleetEvent> events) {
                     events_taken_ += events.size();
                     recent_.Add(std::move(events));
                     grown_();
                   },
               .again =
                   [this](const AgentId& agent, const absl::Status& why) {
                     if (agents_ != nullptr) agents_->Disconnect(agent, why);
                   }}),
      recent_(store.last_event()),
      flows_(
          [this](const AgentId& agent, uint32_t max_per_second) {
            v1::ControllerMessage message;
            message.mutable_flows()->set_max_per_second(max_per_second);
            if (agents_ != nullptr) agents_->Send(agent, std::move(message));
          },
          [this](const std::string& pair) {
            std::vector<AgentId> agents;
            for (const AgentRecord* record : ledger_.AgentsOf(pair)) agents.push_back(record->id);
            return agents;
          }) {
  for (const auto& [name, pair] : ledger_.pairs()) fleet_.PutPair(name, pair.labels);
  for (const auto& [id, agent] : ledger_.agents()) fleet_.PutAgent(id);
  fleet_.TakeChanged();
  Admitted();
}

Hub::~Hub() = default;

void Hub::Stop() {
  if (agents_ == nullptr) return;
  v1::ControllerMessage message;
  *message.mutable_pacing() = PacingOfAStop(fleet_.agents());
  agents_->SendToAll(message);
}

// The disk holds it: so it is true.
void Hub::Applied(const Change& change) {
  if (const auto* pair = std::get_if<PutPair>(&change)) {
    fleet_.PutPair(pair->pair.name, pair->pair.labels);
  } else if (const auto* agent = std::get_if<PutAgent>(&change)) {
    fleet_.PutAgent(agent->agent.id);
  } else if (const auto* dropped = std::get_if<DropPair>(&change)) {
    fleet_.DropPair(dropped->pair);
  } else if (const auto* gone = std::get_if<DropAgent>(&change)) {
    fleet_.DropAgent(gone->agent);
  } else if (std::holds_alternative<PutOperator>(change) ||
             std::holds_alternative<DropOperator>(change)) {
    Admitted();
  }
  Spread();
}

void Hub::Spread() {
  const std::set<std::string> changed = fleet_.TakeChanged();
  if (!changed.empty()) changes_(changed);
}

// An event of the controller's own.
void Hub::Tell(const AgentId& about, const std::string& name, bool warning,
               std::vector<std::pair<std::string, std::string>> fields) {
  fields.insert(fields.begin(), {"node", about.node});
  v1::Event event;
  const int64_t now = absl::ToUnixNanos(absl::Now());
  event.mutable_at()->set_seconds(now / 1'000'000'000);
  event.mutable_at()->set_nanos(static_cast<int32_t>(now % 1'000'000'000));
  event.set_name(name);
  event.set_warning(warning);
  log::Fields logged = {{"pair", about.pair}};
  for (const auto& [key, value] : fields) {
    v1::Event::Field& field = *event.add_fields();
    field.set_name(key);
    field.set_value(value);
    logged.emplace_back(key, value);
  }
  warning ? log::Warning(name, logged) : log::Info(name, logged);
  intake_.Own(about.pair, std::move(event));
}

absl::Status Hub::CheckAgent(const ProvenAgent& agent, const v1::AgentHello& hello) const {
  const AgentRecord* record = ledger_.FindAgent(agent.id);
  if (record == nullptr) {
    return absl::PermissionDeniedError(
        absl::StrCat(agent.id.Name(),
                     " is not enrolled, or was forgotten; `zctl fleet token` makes a token that "
                     "enrols it anew"));
  }
  if (!Admits(record->key, agent.key)) {
    return absl::PermissionDeniedError(
        absl::StrCat(agent.id.Name(), " was enrolled anew with another key; the credential with ",
                     agent.key, " is not good any more"));
  }
  if (!SpeaksWithUs(hello.protocol())) {
    return absl::FailedPreconditionError(
        absl::StrCat("the agent (", Printable(hello.version()), ") speaks protocol ",
                     hello.protocol(), ", this controller (", options_.version, ") ",
                     kFleetProtocol, "; they may differ by one: upgrade the older of the two"));
  }
  if (sessions_.size() >= options_.max_agents && sessions_.count(agent.id) == 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the fleet is full: ", options_.max_agents,
                     " agents are connected; limits.agents in controller.yaml raises it"));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Welcome> Hub::OnHello(const ProvenAgent& agent, const v1::AgentHello& said) {
  v1::AgentHello hello = said;
  absl::Status status = Annotate(CheckHello(hello), "hello");
  if (status.ok()) status = CheckAgent(agent, hello);
  if (!status.ok()) {
    Refuse(agent.id, "agent_refused", status);
    return status;
  }
  SeenWith(agent);
  sessions_[agent.id] = Session();
  intake_.Begin(agent.id, hello.journal());
  const auto absence = absences_.find(agent.id);
  if (absence != absences_.end()) {
    if (absence->second.told) {
      Tell(agent.id, "agent_returned", false,
           {{"away", ForPeople(Loop::Now() - absence->second.since)}});
    }
    absences_.erase(absence);
  }
  fleet_.Connected(agent.id, hello, Loop::Now());
  Spread();

  const AgentRecord* record = ledger_.FindAgent(agent.id);
  v1::Welcome welcome;
  welcome.set_controller(options_.controller);
  welcome.set_version(options_.version);
  welcome.set_protocol(kFleetProtocol);
  if (record->journal == hello.journal()) welcome.set_events_taken(record->events_taken);
  welcome.mutable_report_interval()->set_seconds(
      absl::ToInt64Seconds(absl::Ceil(options_.report_interval, absl::Seconds(1))));
  *welcome.mutable_pacing() = PacingFor(fleet_.agents());
  return welcome;
}

// The key that it shows is good; older ones are not any more.
void Hub::SeenWith(const ProvenAgent& agent) {
  const AgentRecord* seen = ledger_.FindAgent(agent.id);
  if (Since(seen->key, agent.key) == seen->key) return;
  ledger_.Transact(
      [this, id = agent.id, key = agent.key]() -> absl::StatusOr<Changes> {
        const AgentRecord* now = ledger_.FindAgent(id);
        // Meanwhile it may have been forgotten, or enrolled anew.
        if (now == nullptr || !Admits(now->key, key)) return Changes();
        AgentRecord record = *now;
        record.key = Since(now->key, key);
        return Changes{PutAgent{std::move(record)}};
      },
      [](const absl::Status&) {});  // the ledger logs it; they all stay good until the next time
}

void Hub::Refuse(const AgentId& agent, const char* what, const absl::Status& why) {
  log::Warning(what, {{"agent", agent.Name()}, {"problem", std::string(why.message())}});
}

void Hub::OnReport(const AgentId& agent, v1::AgentReport report) {
  if (const absl::Status status = Annotate(CheckReport(agent, report), "report"); !status.ok()) {
    Refuse(agent, "report_refused", status);
    if (agents_ != nullptr) agents_->Disconnect(agent, status);
    return;
  }
  const AgentView* view = fleet_.FindAgent(agent);
  // Not at its hello: what it is asked for must follow the Welcome.
  if (view != nullptr && view->connected && !view->reported) flows_.Greet(agent);
  fleet_.Report(agent, report, Loop::Now());
  Spread();
}

void Hub::OnEvents(const AgentId& agent, v1::EventBatch events) {
  fleet_.Heard(agent, Loop::Now());
  if (const absl::Status status = CheckEvents(events); !status.ok()) {
    Refuse(agent, "events_refused", status);
    if (agents_ != nullptr) agents_->Disconnect(agent, status);
    return;
  }
  intake_.Take(agent, std::move(events));
}

void Hub::OnFlows(const AgentId& agent, v1::FlowsSeen flows) {
  fleet_.Heard(agent, Loop::Now());
  if (const absl::Status status = CheckFlows(agent, flows); !status.ok()) {
    Refuse(agent, "flows_refused", status);
    if (agents_ != nullptr) agents_->Disconnect(agent, status);
    return;
  }
  flows_.Seen(agent.pair, flows);
}

void Hub::OnGone(const AgentId& agent, const std::string& reason) {
  sessions_.erase(agent);
  intake_.End(agent);
  acknowledgements_.Forget(agent);
  const std::string why = Printable(reason.substr(0, kMaxText));
  fleet_.Gone(agent, why, Loop::Now());
  Spread();
  if (ledger_.FindAgent(agent) == nullptr) return;  // forgotten: nobody waits for it
  Absence& absence = absences_[agent];
  absence.since = Loop::Now();
  absence.reason = why;
  absence.timer = loop_.After(options_.patience, [this, agent] { Lost(agent); });
}

void Hub::Lost(const AgentId& agent) {
  const auto absence = absences_.find(agent);
  if (absence == absences_.end()) return;
  absence->second.told = true;
  Tell(agent, "agent_lost", true,
       {{"reason", absence->second.reason}, {"silent", ForPeople(options_.patience)}});
}

Figures Hub::figures() const {
  Figures figures;
  for (const v1::PairSummary* pair : fleet_.Matching(Selector())) {
    ++figures.pairs[pair->status()];
    if (pair->ready()) ++figures.pairs_ready;
  }
  figures.agents_enrolled = fleet_.agents();
  if (agents_ != nullptr) {
    const Agents::Counters counters = agents_->counters();
    figures.agents_connected = agents_->connected();
    figures.streams_accepted = counters.accepted;
    figures.streams_refused = counters.refused;
    figures.streams_stuck = counters.stuck;
    figures.messages = counters.messages;
    figures.throttled = counters.throttled;
  }
  figures.events_taken = events_taken_;
  figures.events_lost = events_lost_;
  figures.requests = requests_;
  figures.requests_failed = requests_failed_;
  figures.events_stored = store_.events();
  figures.watchers = changes_.size() + grown_.size() + flows_.watchers();
  figures.store_problem = store_.problem();
  return figures;
}

}  // namespace zcluster::controller
