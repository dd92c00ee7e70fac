// SPDX-License-Identifier: Apache-2.0
#include "controller/console/console.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/strings.h"

namespace zcluster::controller {
namespace {

double Number(uint64_t value) { return static_cast<double>(value); }

// Every colour has a sample, also when no pair has it: a series that comes and goes cannot be
// alerted on. A colour that only a newer agent knows counts as GREY.
void MeasurePairs(const Figures& figures, http_console::Metrics& m) {
  const std::vector<std::pair<v1::Status, std::string>> colours = {{v1::STATUS_GREEN, "GREEN"},
                                                                   {v1::STATUS_RED, "RED"},
                                                                   {v1::STATUS_ORANGE, "ORANGE"},
                                                                   {v1::STATUS_GREY, "GREY"}};
  uint64_t left = 0;
  for (const auto& [colour, count] : figures.pairs) left += count;
  for (const auto& [colour, name] : colours) {
    const auto found = figures.pairs.find(colour);
    uint64_t count = found == figures.pairs.end() ? 0 : found->second;
    if (colour == v1::STATUS_GREY) count = left;
    left -= count;
    m.Gauge("zcluster_controller_pairs", "Pairs by the colour that an operator sees", Number(count),
            {{"status", name}});
  }
  m.Gauge("zcluster_controller_pairs_ready", "Pairs whose failover right now would succeed",
          Number(figures.pairs_ready));
}

void MeasureAgents(const Figures& figures, http_console::Metrics& m) {
  m.Gauge("zcluster_controller_agents_enrolled", "Agents that may connect",
          Number(figures.agents_enrolled));
  m.Gauge("zcluster_controller_agents_connected", "Agents that are connected",
          Number(figures.agents_connected));
  m.Counter("zcluster_controller_streams_accepted_total", "Connections of agents that were taken",
            Number(figures.streams_accepted));
  m.Counter("zcluster_controller_streams_refused_total", "Connections of agents that were refused",
            Number(figures.streams_refused));
  m.Counter("zcluster_controller_streams_stuck_total",
            "Connections of agents that were ended because nothing was read from them",
            Number(figures.streams_stuck));
  m.Counter("zcluster_controller_messages_total", "Messages of agents read",
            Number(figures.messages));
  m.Counter("zcluster_controller_throttled_total",
            "Times that an agent had to wait because it sent too much", Number(figures.throttled));
}

void MeasureWork(const Figures& figures, http_console::Metrics& m) {
  m.Counter("zcluster_controller_events_taken_total", "Events of agents put on the disk",
            Number(figures.events_taken));
  m.Counter("zcluster_controller_events_lost_total",
            "Events that agents had dropped before the controller had them",
            Number(figures.events_lost));
  m.Gauge("zcluster_controller_events_stored", "Events on the disk now",
          Number(figures.events_stored));
  m.Counter("zcluster_controller_requests_total", "Requests made of agents",
            Number(figures.requests));
  m.Counter("zcluster_controller_requests_failed_total", "Requests of agents that failed",
            Number(figures.requests_failed));
  m.Gauge("zcluster_controller_watchers", "Calls of operators that are open to be told of changes",
          Number(figures.watchers));
  m.Gauge("zcluster_controller_store_healthy", "Whether the store takes what it is given",
          figures.store_problem.empty() ? 1 : 0);
}

}  // namespace

void Measure(const Figures& figures, http_console::Metrics& metrics) {
  MeasurePairs(figures, metrics);
  MeasureAgents(figures, metrics);
  MeasureWork(figures, metrics);
}

void Console::Show(Figures figures) {
  auto next = std::make_shared<const Figures>(std::move(figures));
  absl::MutexLock lock(&mutex_);
  latest_.swap(next);
}

std::shared_ptr<const Figures> Console::Latest() const {
  absl::MutexLock lock(&mutex_);
  return latest_;
}

http_console::Content Console::content() {
  return {.measure = [this](http_console::Metrics& metrics) { Measure(*Latest(), metrics); },
          .problems =
              [this] {
                std::vector<std::string> problems;
                const std::shared_ptr<const Figures> figures = Latest();
                if (!figures->store_problem.empty()) {
                  problems.push_back(absl::StrCat("store: ", Printable(figures->store_problem)));
                }
                return problems;
              }};
}

}  // namespace zcluster::controller
