// SPDX-License-Identifier: Apache-2.0
// What operators ask of the books: a pair as a whole, its labels, to forget it.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/status.h"
#include "common/strings.h"
#include "controller/core/names.h"
#include "controller/hub/hub.h"

namespace zcluster::controller {
namespace {

constexpr size_t kShownEvents = 10;

// Names that were asked for come back in errors, and to terminals.
std::string Quoted(const std::string& name) { return Printable(name.substr(0, 63)); }

absl::Status NoSuchPair(const std::string& pair) {
  return absl::NotFoundError(
      absl::StrCat("there is no pair '", Quoted(pair), "'; `zctl fleet list` shows them"));
}

void SetDuration(absl::Duration value, google::protobuf::Duration& proto) {
  proto.set_seconds(absl::ToInt64Seconds(value));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Milliseconds(value) % 1000) * 1'000'000);
}

}  // namespace

absl::StatusOr<const v1::PairSummary*> Hub::FindPair(const std::string& pair) const {
  const v1::PairSummary* summary = fleet_.Find(pair);
  if (summary == nullptr) return NoSuchPair(pair);
  return summary;
}

v1::ShowPairResponse::View Hub::ViewOf(const AgentRecord& record) const {
  v1::ShowPairResponse::View view;
  view.set_node(record.id.node);
  view.mutable_certificate_expires()->set_seconds(absl::ToUnixSeconds(record.certificate_expires));
  view.mutable_enrolled()->set_seconds(absl::ToUnixSeconds(record.enrolled));
  view.set_events_taken(record.events_taken);
  const AgentView* agent = fleet_.FindAgent(record.id);
  if (agent == nullptr || agent->report.empty()) return view;
  view.mutable_status()->ParseFromString(agent->report);  // as we have packed it
  SetDuration(Loop::Now() - agent->reported_at, *view.mutable_age());
  return view;
}

void Hub::Show(const std::string& pair, Answer<v1::ShowPairResponse> answer) {
  if (const absl::Status status = FindPair(pair).status(); !status.ok()) return answer(status);
  Store::Query query;
  query.pairs = {pair};
  query.limit = kShownEvents;
  store_.Read(std::move(query),
              [this, alive = std::weak_ptr<char>(alive_), pair,
               answer = std::move(answer)](absl::StatusOr<std::vector<v1::FleetEvent>> events) {
                if (alive.expired()) return;
                if (!events.ok()) return answer(Annotate(events.status(), "events"));
                const v1::PairSummary* summary = fleet_.Find(pair);
                if (summary == nullptr) return answer(NoSuchPair(pair));
                v1::ShowPairResponse response;
                *response.mutable_summary() = fleet_.Show(*summary, Loop::Now());
                for (const AgentRecord* record : ledger_.AgentsOf(pair))
                  *response.add_views() = ViewOf(*record);
                for (v1::FleetEvent& event : *events) *response.add_events() = std::move(event);
                answer(std::move(response));
              });
}

void Hub::Label(const v1::LabelPairRequest& request, Answer<v1::LabelPairResponse> answer) {
  const auto decide = [this, request]() -> absl::StatusOr<Changes> {
    const PairRecord* known = ledger_.FindPair(request.pair());
    if (known == nullptr) return NoSuchPair(request.pair());
    PairRecord pair = *known;
    for (const std::string& key : request.remove()) pair.labels.erase(key);
    for (const auto& [key, value] : request.set()) pair.labels[key] = value;
    ZC_RETURN_IF_ERROR(CheckLabels(pair.labels));
    if (pair == *known) return Changes();
    return Changes{PutPair{std::move(pair)}};
  };
  ledger_.Transact(
      decide, [this, pair = request.pair(), answer = std::move(answer)](const absl::Status& done) {
        if (!done.ok()) return answer(done);
        v1::LabelPairResponse response;
        if (const PairRecord* now = ledger_.FindPair(pair))
          response.mutable_labels()->insert(now->labels.begin(), now->labels.end());
        answer(std::move(response));
      });
}

void Hub::Forget(const v1::ForgetPairRequest& request, Done done) {
  const auto gone = std::make_shared<std::vector<AgentId>>();
  const auto decide = [this, request, gone]() -> absl::StatusOr<Changes> {
    if (ledger_.FindPair(request.pair()) == nullptr) return NoSuchPair(request.pair());
    std::vector<std::string> nodes;
    for (const AgentRecord* agent : ledger_.AgentsOf(request.pair())) {
      nodes.push_back(agent->id.node);
      if (request.node().empty() || agent->id.node == request.node()) gone->push_back(agent->id);
    }
    if (request.node().empty()) return Changes{DropPair{request.pair()}};
    if (gone->empty()) {
      return absl::NotFoundError(absl::StrCat(
          "no node '", Quoted(request.node()), "' of ", request.pair(),
          " is enrolled; there are: ", nodes.empty() ? "none" : absl::StrJoin(nodes, ", ")));
    }
    return Changes{DropAgent{gone->front()}};
  };
  ledger_.Transact(decide, [this, gone, done = std::move(done)](const absl::Status& status) {
    if (!status.ok()) return done(status);
    for (const AgentId& agent : *gone) {
      absences_.erase(agent);
      if (agents_ != nullptr) {
        agents_->Disconnect(agent, absl::PermissionDeniedError(absl::StrCat(
                                       agent.Name(), " was forgotten by the controller")));
      }
      Tell(agent, "agent_forgotten", false, {});
    }
    done(status);
  });
}

}  // namespace zcluster::controller
