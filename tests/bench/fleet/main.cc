// SPDX-License-Identifier: Apache-2.0
// Simulated agents, as many as are asked for, in one process, and what a controller makes of them.
//
//   zcluster-fleet-agents ports COUNT
//       so many TCP ports that nobody has on 127.0.0.1, one a line
//   zcluster-fleet-agents enrol SOCKET ENROLMENT DIRECTORY COUNT
//       until DIRECTORY holds so many agents; ENROLMENT is ADDRESS:PORT
//   zcluster-fleet-agents measure SOCKET AGENTS DIRECTORY COUNT PID SECONDS
//       connects so many of them to AGENTS (ADDRESS:PORT), measures the controller PID at rest and
//       at work, for SECONDS each
//
// Figures go to standard output, one JSON object; what happens goes to standard error.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/loop.h"
#include "common/status.h"
#include "common/tls.h"
#include "common/unique_fd.h"
#include "tests/bench/fleet/crowd.h"
#include "tests/bench/fleet/operators.h"
#include "tests/bench/fleet/process.h"
#include "tests/bench/fleet/roster.h"

namespace zcluster::fleet_bench {
namespace {

constexpr absl::Duration kConnectPatience = absl::Minutes(3);
// After the rush of connecting: until the first reports are in, and queues and timers are at rest.
constexpr absl::Duration kSettle = absl::Seconds(5);
constexpr uint64_t kEventsPerSecond = 5000;
// How long events may take that come at that rate, before they count as lost.
constexpr absl::Duration kLate = absl::Seconds(10);
constexpr size_t kFloodBatch = 4;
constexpr absl::Duration kFloodBegins = absl::Seconds(2);
constexpr int kLists = 100;

// Name and value of what was measured, in order.
using Figures = std::vector<std::pair<std::string, double>>;

void Print(const Figures& figures) {
  const std::string json =
      absl::StrJoin(figures, ", ", [](std::string* out, const std::pair<std::string, double>& one) {
        absl::StrAppendFormat(out, "\"%s\": %.6g", one.first, one.second);
      });
  std::printf("{%s}\n", json.c_str());
}

double Milliseconds(absl::Duration duration) { return absl::ToDoubleMilliseconds(duration); }

// The value that `part` (0 to 1) of them do not exceed; in ms.
double Percentile(std::vector<absl::Duration>& times, double part) {
  if (times.empty()) return 0;
  std::sort(times.begin(), times.end());
  const auto place = static_cast<size_t>(part * static_cast<double>(times.size()));
  return Milliseconds(times[std::min(place, times.size() - 1)]);
}

// What is measured, step by step.
class Measurement {
 public:
  struct Options {
    std::string socket;
    std::string agents;
    std::string directory;
    size_t count;
    pid_t pid;
    absl::Duration duration;
  };
  explicit Measurement(Options options) : options_(std::move(options)) {}

  absl::StatusOr<Figures> Run() {
    ZC_ASSIGN_OR_RETURN(const auto identities, Load(options_.directory, options_.count));
    Crowd crowd(options_.agents, identities);
    ZC_RETURN_IF_ERROR(Connect(crowd));
    ZC_RETURN_IF_ERROR(Rest());
    ZC_RETURN_IF_ERROR(Lists());
    ZC_RETURN_IF_ERROR(Events(crowd));
    ZC_RETURN_IF_ERROR(Flood(crowd));
    Add("streams_ended", static_cast<double>(crowd.ended()));
    if (crowd.ended() > 0) std::fprintf(stderr, "  a stream ended: %s\n", crowd.reason().c_str());
    return figures_;
  }

 private:
  void Add(const std::string& name, double value) {
    figures_.emplace_back(name, value);
    std::fprintf(stderr, "  %s: %.4g\n", name.c_str(), value);
  }
  double Thousands() const { return static_cast<double>(options_.count) / 1000; }

  absl::Status Connect(Crowd& crowd) {
    ZC_ASSIGN_OR_RETURN(const Usage before, UsageOf(options_.pid));
    const absl::Time begin = Loop::Now();
    ZC_RETURN_IF_ERROR(crowd.Connect(kConnectPatience));
    Add("connect_seconds", absl::ToDoubleSeconds(Loop::Now() - begin));
    ZC_ASSIGN_OR_RETURN(const Usage after, UsageOf(options_.pid));
    Add("connect_cpu_seconds", absl::ToDoubleSeconds(after.cpu - before.cpu));
    absl::SleepFor(kSettle);
    resident_before_ = before.resident_mib;
    return absl::OkStatus();
  }

  absl::Status Rest() {
    ZC_ASSIGN_OR_RETURN(const Usage before, UsageOf(options_.pid));
    absl::SleepFor(options_.duration);
    ZC_ASSIGN_OR_RETURN(const Usage after, UsageOf(options_.pid));
    ZC_ASSIGN_OR_RETURN(const Usage own, UsageOf(::getpid()));
    Add("rss_per_1000_agents", (after.resident_mib - resident_before_) / Thousands());
    Add("own_rss_per_1000_agents", own.resident_mib / Thousands());
    Add("cpu_per_1000_agents", 100 * absl::ToDoubleSeconds(after.cpu - before.cpu) /
                                   absl::ToDoubleSeconds(options_.duration) / Thousands());
    return absl::OkStatus();
  }

  absl::Status Lists() {
    Operator root(options_.socket);
    std::vector<absl::Duration> times;
    for (int i = 0; i < kLists; ++i) {
      const absl::Time begin = Loop::Now();
      ZC_ASSIGN_OR_RETURN(const std::vector<v1::PairSummary> pairs, root.List());
      times.push_back(Loop::Now() - begin);
      size_t connected = 0;
      for (const v1::PairSummary& pair : pairs)
        for (const v1::FleetNode& node : pair.nodes()) connected += node.connected() ? 1U : 0U;
      if (connected != options_.count) {
        return absl::InternalError(absl::StrCat("FleetService/List shows ", connected,
                                                " connected nodes of ", options_.count));
      }
    }
    Add("list_latency_p50", Percentile(times, 0.5));
    Add("list_latency_p99", Percentile(times, 0.99));
    return absl::OkStatus();
  }

  // Events at a fixed rate: none may be lost.
  absl::Status Events(Crowd& crowd) {
    ZC_ASSIGN_OR_RETURN(const auto follower, Follower::Start(options_.socket));
    ZC_ASSIGN_OR_RETURN(const Usage before, UsageOf(options_.pid));
    const uint64_t told = crowd.Tell(kEventsPerSecond, options_.duration);
    const absl::Time late = Loop::Now() + kLate;
    while ((follower->seen() < told || crowd.acknowledged() < told) && Loop::Now() < late)
      absl::SleepFor(absl::Milliseconds(10));
    ZC_ASSIGN_OR_RETURN(const Usage after, UsageOf(options_.pid));
    if (follower->seen() != told || crowd.acknowledged() != told) {
      return absl::InternalError(absl::StrCat(
          "of ", told, " events ", crowd.acknowledged(), " were acknowledged, ", follower->seen(),
          " seen; the follower's call: ", follower->end().ToString()));
    }
    std::vector<absl::Duration> latencies = follower->TakeLatencies();
    Add("event_latency_p50", Percentile(latencies, 0.5));
    Add("event_latency_p99", Percentile(latencies, 0.99));
    Add("event_cpu", 100 * absl::ToDoubleSeconds(after.cpu - before.cpu) /
                         absl::ToDoubleSeconds(options_.duration));
    return absl::OkStatus();
  }

  // As many as go through.
  absl::Status Flood(Crowd& crowd) {
    ZC_ASSIGN_OR_RETURN(const auto follower, Follower::Start(options_.socket));
    crowd.Flood(kFloodBatch);
    absl::SleepFor(kFloodBegins);
    const uint64_t seen = follower->seen(), acknowledged = crowd.acknowledged();
    const absl::Time begin = Loop::Now();
    absl::SleepFor(options_.duration);
    const double seconds = absl::ToDoubleSeconds(Loop::Now() - begin);
    const auto rate = [seconds](uint64_t events) { return static_cast<double>(events) / seconds; };
    const double taken = rate(crowd.acknowledged() - acknowledged);
    const double shown = rate(follower->seen() - seen);
    crowd.Flood(0);
    Add("events_acknowledged_per_second", taken);
    Add("events_per_second", std::min(taken, shown));
    if (const absl::Status end = follower->end(); !end.ok())
      std::fprintf(stderr, "  the follower's call ended: %s\n", end.ToString().c_str());
    return absl::OkStatus();
  }

  const Options options_;
  Figures figures_;
  double resident_before_ = 0;
};

absl::StatusOr<Figures> EnrolAll(const std::string& directory, size_t count, const Door& door) {
  ZC_ASSIGN_OR_RETURN(Enrolled enrolled, Complete(directory, count, door));
  return Figures{{"enrolled", static_cast<double>(enrolled.agents)},
                 {"enrol_seconds", absl::ToDoubleSeconds(enrolled.all)},
                 {"enrol_p50", Percentile(enrolled.one_agent, 0.5)}};
}

// All are held until the last is known, so that they differ.
absl::Status PrintPorts(uint32_t count) {
  std::vector<UniqueFd> sockets;
  for (uint32_t i = 0; i < count; ++i) {
    sockets.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (!sockets.back() || ::bind(sockets.back().get(), generic, size) != 0 ||
        ::getsockname(sockets.back().get(), generic, &size) != 0) {
      return ErrnoStatus("a free port on 127.0.0.1");
    }
    std::printf("%d\n", ntohs(address.sin_port));
  }
  return absl::OkStatus();
}

absl::StatusOr<Figures> Obey(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  uint32_t count = 0;
  pid_t pid = 0;
  double seconds = 0;
  if (words.size() == 2 && words[0] == "ports" && absl::SimpleAtoi(words[1], &count)) {
    ZC_RETURN_IF_ERROR(PrintPorts(count));
    return Figures{};
  }
  if (words.size() == 5 && words[0] == "enrol" && absl::SimpleAtoi(words[4], &count))
    return EnrolAll(words[3], count, {.socket = words[1], .enrolment = words[2]});
  if (words.size() == 7 && words[0] == "measure" && absl::SimpleAtoi(words[4], &count) &&
      count > 0 && absl::SimpleAtoi(words[5], &pid) && absl::SimpleAtod(words[6], &seconds)) {
    return Measurement({.socket = words[1],
                        .agents = words[2],
                        .directory = words[3],
                        .count = count,
                        .pid = pid,
                        .duration = absl::Seconds(seconds)})
        .Run();
  }
  return absl::InvalidArgumentError(
      "usage: zcluster-fleet-agents ports COUNT | enrol SOCKET ENROLMENT DIRECTORY COUNT | measure "
      "SOCKET AGENTS "
      "DIRECTORY COUNT PID SECONDS");
}

// A connection is a file here too.
void RaiseFileLimit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int Main(int argc, char** argv) {
  RaiseFileLimit();
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // see controller/main.cc
  tls::RequireTls13();
  const absl::StatusOr<Figures> figures = Obey(argc, argv);
  if (!figures.ok()) {
    std::fprintf(stderr, "zcluster-fleet-agents: %s\n",
                 std::string(figures.status().message()).c_str());
    return absl::IsInvalidArgument(figures.status()) ? 2 : 1;
  }
  if (!figures->empty()) Print(*figures);
  return 0;
}

}  // namespace
}  // namespace zcluster::fleet_bench

int main(int argc, char** argv) { return zcluster::fleet_bench::Main(argc, argv); }
