// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/conntrack/latency.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include "absl/time/time.h"
#include "common/status.h"
#include "tests/bench/conntrack/events.h"
#include "tests/bench/conntrack/load.h"
#include "tests/bench/conntrack/netns.h"
#include "tests/bench/conntrack/packets.h"
#include "tests/bench/conntrack/table.h"

namespace zcluster::conntrack_bench {
namespace {

constexpr absl::Duration kLate = absl::Seconds(2);
constexpr absl::Duration kLook = absl::Milliseconds(20);

// When each flow arrived, noted by a thread of its own. It listens where nobody would in
// production, so each entry costs its maker a few microseconds more; whoever makes it.
class Arrivals {
 public:
  Arrivals(Events& events, uint64_t count)
      : events_(events), at_(count, 0), thread_([this] { Listen(); }) {}
  ~Arrivals() { Stop(); }

  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  uint64_t seen() const { return seen_; }
  // By flow, after Stop(); 0: never.
  const std::vector<int64_t>& at() const { return at_; }

 private:
  void Listen() {
    while (!stop_) {
      events_.Wait(kLook, [this](const nlmsghdr& event) {
        const absl::optional<uint64_t> number = NumberIn(event);
        if (!number || *number >= at_.size() || at_[*number] != 0) return;
        at_[*number] = NowNs();
        ++seen_;
      });
    }
  }

  Events& events_;
  std::vector<int64_t> at_;
  std::atomic<uint64_t> seen_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace

absl::StatusOr<Latencies> Measure(const std::string& from, const std::string& to, uint64_t count,
                                  double rate) {
  ZC_RETURN_IF_ERROR(Enter(to));
  ZC_ASSIGN_OR_RETURN(const std::unique_ptr<Events> events, Events::Open(absl::ZeroDuration()));
  ZC_RETURN_IF_ERROR(Enter(from));
  ZC_ASSIGN_OR_RETURN(const std::unique_ptr<Packets> packets, Packets::Open());
  std::vector<int64_t> sent(count, 0);
  Arrivals arrivals(*events, count);
  const absl::StatusOr<Done> done = Run({.first = 0, .count = count, .rate = rate, .at_most = 1},
                                        [&](uint64_t number, size_t /*one*/) {
                                          sent[number] = NowNs();
                                          return packets->Send(number, 1);
                                        });
  ZC_RETURN_IF_ERROR(done.status());
  const int64_t end = NowNs() + absl::ToInt64Nanoseconds(kLate);
  while (arrivals.seen() < count && NowNs() < end)
    SleepUntil(NowNs() + absl::ToInt64Nanoseconds(kLook));
  arrivals.Stop();

  Latencies latencies{count, {}};
  for (uint64_t i = 0; i < count; ++i) {
    const int64_t at = arrivals.at()[i];
    if (at != 0) latencies.us.push_back(static_cast<double>(at - sent[i]) / 1e3);
  }
  std::sort(latencies.us.begin(), latencies.us.end());
  return latencies;
}

}  // namespace zcluster::conntrack_bench
