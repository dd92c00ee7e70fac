// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/core/types.h"
#include "agent/health/verdict.h"
#include "common/loop.h"
#include "common/neighbour.h"

namespace zcluster::health {

// The wire that leads to a gateway.
struct Way {
  std::string interface;  // empty: none does
  std::string source;     // our own IPv4 address there, no VIP; empty: whatever there is
};
// From each of the gateways, in their order, to its way; asked anew each round, as addresses come
// and go. A short exchange with the kernel.
using FindWays = std::function<std::vector<Way>(const std::vector<std::string>& gateways)>;

// A round: each gateway is asked, again if it does not answer, and judged at the round's end.
inline constexpr absl::Duration kRound = absl::Seconds(1);
inline constexpr int kAsksARound = 4;
// One answer shows that it is there; packets get lost, so silence must last.
inline constexpr int kGatewayRise = 1;
inline constexpr int kGatewayFall = 3;
// The other node's rounds begin up to one later.
inline constexpr absl::Duration kGatewaySettles = absl::Milliseconds(1500);

// Whether the gateways answer: who has this address? (common/neighbour.h). Loop thread.
class Gateways {
 public:
  // `changed` follows when Results() are others; not within a call of ours.
  Gateways(Loop& loop, std::function<void()> changed);

  // Those that were asked before keep their results.
  void Ask(const std::vector<std::string>& gateways, FindWays find);
  // Of those that have a result, in their order.
  std::vector<core::HealthCheck> Results() const;
  void Stop();

 private:
  struct Question {
    NeighbourQuestion question;
    Loop::Registration watch;
  };
  struct Gateway {
    Verdict verdict{kGatewayRise, kGatewayFall};
    Way way = {};
    bool answered = false;     // in this round
    std::string problem = {};  // that kept the last question of this round back
    std::vector<std::unique_ptr<Question>> questions = {};  // of this round
  };

  void Beat();
  void BeginRound();
  void EndRound();
  void AskAgain();
  void AskOne(const std::string& address, Gateway& gateway);
  void OnReadable(const std::string& address);

  Loop& loop_;
  const std::function<void()> changed_;
  std::vector<std::string> order_;
  FindWays find_;
  std::map<std::string, Gateway> gateways_;
  int asked_ = 0;  // times in this round
  Loop::Registration timer_;
};

}  // namespace zcluster::health
