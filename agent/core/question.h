// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/time/time.h"
#include "agent/core/state.h"

// keepalived made this node master although the link lives: does the peer serve all the same? Pure.
namespace zcluster::core {

// An answer counts for one advert interval, but within these bounds: the link may have to repeat a
// packet, and what waits for it is the term, not the clients.
constexpr absl::Duration kShortestQuestion = absl::Milliseconds(500);
constexpr absl::Duration kLongestQuestion = absl::Seconds(1);

// A takeover from a peer that still says that it is master is asked about. One that stands aside,
// or is not seen, has nothing to say against it.
bool MustAsk(const State& state);

absl::Duration QuestionBound(const Config& config);

enum class Verdict { kOpen, kHolds, kRefuted };
struct Judgement {
  Verdict verdict = Verdict::kOpen;
  std::string why = {};  // empty while open; the words of a log
};

// Of the takeover that the question of `state` is about; it must have one.
Judgement JudgeTakeover(const State& state, absl::Time now);

// Is this node's way to the peer the VRRP network itself? Then an answer proves that it lives.
bool LinkUsesVrrpNetwork(const State& state);

// keepalived says MASTER, the peer can hear it, and nothing is about to change that.
bool Serves(const State& state);

// What keeps it from that, for the peer's log.
std::string WhyNotServing(const State& state);

}  // namespace zcluster::core
