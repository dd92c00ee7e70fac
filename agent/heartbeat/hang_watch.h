// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/time/time.h"
#include "agent/heartbeat/process.h"
#include "common/backoff.h"

namespace zcluster::heartbeat {

// Tells a keepalived that hangs (spins, waits for ever in the kernel or for a lock, is frozen or
// starved) from one that works, by what the kernel counts of its VRRP process: whoever works goes
// back to waiting again and again. A master has an advert to send each interval, a standby one to
// read, and the script that ends leases wakes it once a second in every state. Pure: it is told
// what is seen, and when. Loop thread.
//
// Only what was looked at in time counts: whatever kept us from looking (a machine that stood
// still, a loop that hung) may have kept keepalived from working, and it begins anew.
class HangWatch {
 public:
  // How often to look.
  static constexpr absl::Duration kLookEvery = absl::Milliseconds(100);

  // The VRRP process at one moment.
  struct Sight {
    pid_t pid = -1;
    Activity activity;
    bool master = false;           // it has the addresses
    bool aside = false;            // it has been told to let go of them
    bool peer_advertises = false;  // the peer said that it is master, since the look before
  };

  enum class Verdict {
    kWorks,
    // It may stay as it is. A master whose peer does not serve (or gave way again): what it has
    // set, the kernel goes on serving, and taking it away would leave nobody. A standby that may
    // yet come round.
    kHangs,
    // It has what its peer has too, or stands by without being able to: better a new one. Of a
    // standby this is said the more seldom the oftener it was said: a machine that is starved
    // starves the next one too.
    kMustGo,
  };

  // `interval`: of the adverts. `now`: the loop's clock.
  Verdict Look(const Sight& sight, absl::Duration interval, absl::Time now);
  // What follows is not to be compared with what was seen before.
  void Reset() { pid_ = -1; }

  // How long it has done nothing, as of the last look.
  absl::Duration still() const { return looked_ - since_; }

 private:
  pid_t pid_ = -1;
  uint64_t waits_ = 0;
  absl::Time looked_;
  absl::Time since_;
  bool advertised_ = false;  // by the peer, since then
  absl::Time ended_ = absl::InfinitePast();
  absl::Time not_before_ = absl::InfinitePast();
  Backoff damping_{absl::Seconds(10), absl::Minutes(5)};
};

// For an operator: "process 17 hangs (state D, in folio_wait_bit), it has done nothing for 700ms;
// it is killed, and started anew".
std::string Describe(HangWatch::Verdict verdict, const HangWatch::Sight& sight,
                     absl::Duration still, const std::string& waits_in);

}  // namespace zcluster::heartbeat
