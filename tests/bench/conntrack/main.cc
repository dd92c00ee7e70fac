// SPDX-License-Identifier: Apache-2.0
// zcluster-flows: makes flows in network namespaces, hears of them, and compares kernels' tables.
// Each verb prints one JSON object. Run it with a better priority than what is measured, as a
// node's packets have.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "common/status.h"
#include "tests/bench/conntrack/entries.h"
#include "tests/bench/conntrack/events.h"
#include "tests/bench/conntrack/latency.h"
#include "tests/bench/conntrack/load.h"
#include "tests/bench/conntrack/netns.h"
#include "tests/bench/conntrack/packets.h"
#include "tests/bench/conntrack/table.h"

namespace zcluster::conntrack_bench {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(1);
constexpr size_t kEntries = 512;

struct Flags {
  std::string netns, other;
  uint64_t count = 0, live = 10000;
  double rate = 0, seconds = 10;
};

absl::Status Report(const absl::StatusOr<Done>& done) {
  ZC_RETURN_IF_ERROR(done.status());
  const auto made = static_cast<double>(done->made);
  absl::PrintF("{\"made\": %d, \"rate\": %.0f, \"cpu_us\": %.4f}\n", done->made,
               made / done->seconds, done->cpu_seconds * 1e6 / std::max(made, 1.0));
  return absl::OkStatus();
}

absl::Status MakeByPackets(const Flags& flags) {
  ZC_RETURN_IF_ERROR(Enter(flags.netns));
  ZC_ASSIGN_OR_RETURN(const std::unique_ptr<Packets> packets, Packets::Open());
  return Report(Run({0, flags.count, flags.rate, Packets::kBatch},
                    [&](uint64_t first, size_t count) { return packets->Send(first, count); }));
}

absl::Status MakeEntries(const Flags& flags) {
  ZC_RETURN_IF_ERROR(Enter(flags.netns));
  ZC_ASSIGN_OR_RETURN(Entries entries, Entries::Open());
  return Report(Run({0, flags.count, flags.rate, kEntries},
                    [&](uint64_t first, size_t count) { return entries.Make(first, count); }));
}

absl::Status Churn(const Flags& flags) {
  ZC_RETURN_IF_ERROR(Enter(flags.netns));
  ZC_ASSIGN_OR_RETURN(Entries entries, Entries::Open());
  return Report(Run({0, flags.count, flags.rate, kEntries / 2}, [&](uint64_t first, size_t count) {
    return entries.Churn(first, count, flags.live);
  }));
}

absl::Status ShowLatency(const Flags& flags) {
  ZC_ASSIGN_OR_RETURN(const Latencies latencies,
                      Measure(flags.netns, flags.other, flags.count, flags.rate));
  const std::vector<double>& us = latencies.us;
  const auto at = [&us](double part) {
    if (us.empty()) return 0.0;
    const auto place = static_cast<size_t>(part * static_cast<double>(us.size()));
    return us[std::min(place, us.size() - 1)];
  };
  absl::PrintF("{\"made\": %d, \"arrived\": %d, \"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f}\n",
               latencies.made, us.size(), at(0.5), at(0.99), at(1));
  return absl::OkStatus();
}

// What one listener alone can hear, if it naps as ours does; until nothing comes for a while.
absl::Status Listen(const Flags& flags) {
  ZC_RETURN_IF_ERROR(Enter(flags.netns));
  SharpenSleep();
  ZC_ASSIGN_OR_RETURN(const std::unique_ptr<Events> events, Events::Open(absl::Milliseconds(1)));
  std::fputs("listening\n", stderr);
  const int64_t end = NowNs() + static_cast<int64_t>(flags.seconds * 1e9);
  uint64_t heard = 0;
  while (heard < flags.count && NowNs() < end)
    events->Wait(absl::Milliseconds(20), [&heard](const nlmsghdr&) { ++heard; });
  absl::PrintF("{\"heard\": %d, \"overruns\": %d}\n", heard, events->overruns());
  return absl::OkStatus();
}

// Waits until a kernel's own count is this.
absl::Status Await(const Flags& flags) {
  SharpenSleep();
  const int64_t start = NowNs(), end = start + static_cast<int64_t>(flags.seconds * 1e9);
  for (;;) {
    ZC_ASSIGN_OR_RETURN(const uint64_t count, Count(flags.netns));
    const int64_t now = NowNs();
    if (count == flags.count || now > end) {
      absl::PrintF("{\"reached\": %s, \"count\": %d, \"seconds\": %.4f}\n",
                   count == flags.count ? "true" : "false", count,
                   static_cast<double>(now - start) / 1e9);
      return absl::OkStatus();
    }
    SleepUntil(now + absl::ToInt64Nanoseconds(kLook));
  }
}

// The first time that two tables are the same counts; each look reads both whole.
absl::Status ShowDifference(const Flags& flags) {
  const int64_t end = NowNs() + static_cast<int64_t>(flags.seconds * 1e9);
  for (;;) {
    ZC_ASSIGN_OR_RETURN(const std::vector<std::string> first, ReadTable(flags.netns));
    ZC_ASSIGN_OR_RETURN(const std::vector<std::string> second, ReadTable(flags.other));
    const Difference difference = Compare(first, second);
    if (difference.Equal() || NowNs() > end) {
      absl::PrintF(
          "{\"equal\": %s, \"first\": %d, \"second\": %d, \"only_first\": %d, \"only_second\": "
          "%d}\n",
          difference.Equal() ? "true" : "false", difference.first, difference.second,
          difference.only_first, difference.only_second);
      return absl::OkStatus();
    }
    SleepUntil(NowNs() + 20 * absl::ToInt64Nanoseconds(kLook));
  }
}

int Main(int argc, char** argv) {
  CLI::App app{"Makes flows in network namespaces, hears of them, compares kernels' tables",
               "zcluster-flows"};
  app.require_subcommand(1);
  Flags flags;
  absl::Status (*chosen)(const Flags&) = nullptr;
  const auto verb = [&](const char* name, const char* what, absl::Status (*run)(const Flags&)) {
    CLI::App* sub = app.add_subcommand(name, what);
    sub->add_option("netns", flags.netns, "Network namespace (ip netns)")->required();
    sub->callback([&chosen, run] { chosen = run; });
    return sub;
  };
  const auto load = [&](CLI::App* sub) {
    sub->add_option("--count", flags.count, "Flows")->required();
    sub->add_option("--rate", flags.rate, "Flows a second; 0: as many as can be");
    return sub;
  };
  const auto two = [&](CLI::App* sub) {
    sub->add_option("other", flags.other, "The other network namespace")->required();
    return sub;
  };
  load(verb("packets", "Make UDP flows by packets", MakeByPackets));
  load(verb("entries", "Make TCP flows with DNAT by ctnetlink", MakeEntries));
  load(verb("churn", "The same, and end each again", Churn))
      ->add_option("--live", flags.live, "Flows that live at a time");
  load(two(verb("latency", "From a packet here to the entry in the other", ShowLatency)));
  CLI::App* listen = verb("listen", "Count new flows, napping, until COUNT were heard", Listen);
  CLI::App* await = verb("await", "Wait until the kernel counts COUNT flows", Await);
  CLI::App* compare = two(verb("compare", "Wait until two tables are the same", ShowDifference));
  for (CLI::App* sub : {listen, await})
    sub->add_option("--count", flags.count, "Flows")->required();
  for (CLI::App* sub : {listen, await, compare})
    sub->add_option("--seconds", flags.seconds, "But no longer");
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = chosen(flags);
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "zcluster-flows: %s\n", status.message());
  return 1;
}

}  // namespace
}  // namespace zcluster::conntrack_bench

int main(int argc, char** argv) { return zcluster::conntrack_bench::Main(argc, argv); }
