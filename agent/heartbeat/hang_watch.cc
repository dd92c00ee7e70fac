// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/hang_watch.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace zcluster::heartbeat {
namespace {

// Whoever looks so much later than the last time, three times as much as it meant to, was kept from
// it.
constexpr absl::Duration kLate = absl::Milliseconds(300);

// Three adverts are what the peer waits for; the rest is for one that is hard at work, such as with
// hundreds of addresses. By three seconds the lease's script should have woken it three times,
// whatever it does.
constexpr int kAdverts = 3;
constexpr absl::Duration kAtWork = absl::Milliseconds(300);
constexpr absl::Duration kLongest = absl::Seconds(3);

// A standby that was ended so long ago was another case.
constexpr absl::Duration kForgotten = absl::Minutes(10);

}  // namespace

HangWatch::Verdict HangWatch::Look(const Sight& sight, absl::Duration interval, absl::Time now) {
  if (sight.pid != pid_ || sight.activity.waits != waits_ || now - looked_ > kLate) {
    pid_ = sight.pid;
    waits_ = sight.activity.waits;
    since_ = now;
    advertised_ = false;
  } else {
    advertised_ = advertised_ || sight.peer_advertises;
  }
  looked_ = now;

  // One that was stopped is told to go on, once a second, before anything else is thought of it.
  const bool adverts_due = (sight.master || advertised_) && !sight.activity.IsStopped();
  const absl::Duration patience =
      adverts_due ? std::min(kAdverts * interval + kAtWork, kLongest) : kLongest;
  if (still() < patience) return Verdict::kWorks;

  if (sight.master)
    return sight.peer_advertises || sight.aside ? Verdict::kMustGo : Verdict::kHangs;
  if (still() < kLongest || now < not_before_) return Verdict::kHangs;
  if (now - ended_ > kForgotten) damping_.Reset();
  ended_ = now;
  not_before_ = now + damping_.Next();
  return Verdict::kMustGo;
}

std::string Describe(HangWatch::Verdict verdict, const HangWatch::Sight& sight,
                     absl::Duration still, const std::string& waits_in) {
  const char* consequence = "it is killed, and started anew";
  if (verdict == HangWatch::Verdict::kHangs) {
    consequence = sight.master ? "this node serves on, and lets go once its peer takes over"
                               : "it will be killed if that lasts";
  }
  return absl::StrCat(
      "process ", sight.pid, " hangs (state ", std::string(1, sight.activity.state),
      waits_in.empty() ? "" : absl::StrCat(", in ", waits_in), "), it has done nothing for ",
      absl::FormatDuration(absl::Trunc(still, HangWatch::kLookEvery)), "; ", consequence);
}

}  // namespace zcluster::heartbeat
