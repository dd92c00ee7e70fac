// SPDX-License-Identifier: Apache-2.0
#include "common/console/http_console.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/console/process_metrics.h"
#include "common/log.h"

namespace zcluster::http_console {
namespace {

// The loop is seen to run so many times before its silence counts.
constexpr int kBeatsBeforeHung = 5;

}  // namespace

HttpConsole::HttpConsole(Loop& loop, Options options, Content content)
    : loop_(loop), options_(std::move(options)), content_(std::move(content)) {
  Beat();
  if (options_.listen == "off") return;
  beats_ = loop_.Every(options_.hung_after / kBeatsBeforeHung, [this] { Beat(); });
  Listen();
}

HttpConsole::~HttpConsole() = default;

void HttpConsole::Listen() {
  absl::StatusOr<std::unique_ptr<HttpServer>> server =
      HttpServer::Start(options_.listen,
                        {{"/metrics", [this] { return MetricsPage(); }},
                         {"/healthz", [this] { return HealthPage(); }}},
                        {});
  if (server.ok()) {
    server_ = *std::move(server);
    log::Info("metrics_served", {{"listen", options_.listen}});
    return;
  }
  // Once a reason: it may last.
  const std::string problem(server.status().message());
  if (problem != problem_) {
    problem_ = problem;
    log::Warning("metrics_not_served",
                 {{"problem", problem}, {"again_in", absl::FormatDuration(options_.retry)}});
  }
  retry_ = loop_.After(options_.retry, [this] { Listen(); });
}

void HttpConsole::Beat() { beat_ns_ = absl::ToUnixNanos(Loop::Now()); }

absl::Duration HttpConsole::SilenceOfLoop() const {
  return std::max(absl::ZeroDuration(), Loop::Now() - absl::FromUnixNanos(beat_ns_));
}

Page HttpConsole::MetricsPage() const {
  Metrics metrics;
  metrics.Gauge("zcluster_build_info", "Always 1: which program and version this is", 1,
                {{"program", options_.program}, {"version", options_.version}});
  metrics.Gauge("zcluster_loop_last_beat_age_seconds",
                "Since the main loop was last seen to run; it hangs when this grows",
                absl::ToDoubleSeconds(SilenceOfLoop()));
  content_.measure(metrics);
  MeasureProcess(metrics);
  return {200, "text/plain; version=0.0.4; charset=utf-8", metrics.Text()};
}

Page HttpConsole::HealthPage() const {
  std::vector<std::string> problems = content_.problems();
  const absl::Duration silence = SilenceOfLoop();
  if (silence > options_.hung_after) {
    problems.insert(problems.begin(),
                    absl::StrFormat("the main loop of %s has not run for %.0f s; what follows is "
                                    "from before, if anything does",
                                    options_.program, absl::ToDoubleSeconds(silence)));
  }
  Page page{problems.empty() ? 200 : 503, "text/plain; charset=utf-8", ""};
  for (const std::string& problem : problems) absl::StrAppend(&page.body, problem, "\n");
  if (problems.empty()) page.body = "ok\n";
  return page;
}

}  // namespace zcluster::http_console
