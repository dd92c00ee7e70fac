// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/run.h"

#include "absl/strings/str_cat.h"
#include "agent/core/health.h"
#include "agent/core/names.h"
#include "tests/sim/chaos.h"
#include "tests/sim/invariants.h"
#include "tests/sim/pair.h"
#include "tests/sim/random.h"
#include "tests/sim/settled.h"

namespace zcluster::sim {
namespace {

// Everybody who watches hears everything, in this order.
class Watchers : public Observer {
 public:
  Watchers(Invariants& invariants, Coverage& coverage, Trace* trace)
      : invariants_(invariants), coverage_(coverage), trace_(trace) {}

  void OnStarted(int node) override {
    Each([&](Observer& o) { o.OnStarted(node); });
  }
  void OnDied(int node) override {
    Each([&](Observer& o) { o.OnDied(node); });
  }
  void OnHeard(int node, const core::Event& event) override {
    Each([&](Observer& o) { o.OnHeard(node, event); });
  }
  void OnPerformed(int node, const core::Action& action) override {
    if (const auto* finished = std::get_if<core::Finished>(&action)) finished_ = *finished;
    Each([&](Observer& o) { o.OnPerformed(node, action); });
  }
  void OnVrrp(int node, core::VrrpState state) override {
    ++moves_;
    Each([&](Observer& o) { o.OnVrrp(node, state); });
  }
  void OnFault(absl::string_view what) override {
    Each([&](Observer& o) { o.OnFault(what); });
  }

  // The operation that ended last.
  const core::Finished& finished() const { return finished_; }
  // Times that VRRP changed its state on either node.
  uint64_t moves() const { return moves_; }

 private:
  template <typename F>
  void Each(const F& tell) {
    if (trace_ != nullptr) tell(*trace_);
    tell(coverage_);
    tell(invariants_);
  }

  Invariants& invariants_;
  Coverage& coverage_;
  Trace* trace_;
  uint64_t moves_ = 0;
  core::Finished finished_;
};

// Runs until `end`, or `done` says so, or an invariant breaks.
template <typename Done>
void RunUntil(absl::Time end, Pair& pair, Invariants& invariants, Done done) {
  while (invariants.broken().empty() && pair.clock().now() < end && !done()) {
    if (!pair.clock().RunNext()) return;
    invariants.Check();
  }
}

// From here nothing is broken any more: the pair must find rest and keep it.
void Settle(Pair& pair, bool all_back, const Watchers& watchers, Invariants& invariants) {
  const Clock& clock = pair.clock();
  // A standby that heard no adverts may be about to take over, whatever is mended now.
  absl::Time next_look = clock.now() + Longest(2 * pair.MasterDownInterval());
  std::string why = "nobody looked";
  RunUntil(clock.now() + Longest(kSettleBound), pair, invariants, [&] {
    if (clock.now() < next_look) return false;
    next_look = clock.now() + absl::Milliseconds(100);
    why = WhyNotSettled(pair, all_back);
    return why.empty();
  });
  if (!why.empty()) {
    return invariants.Break(absl::StrCat("not at rest ",
                                         absl::FormatDuration(Longest(kSettleBound)),
                                         " after everything was mended: ", why));
  }
  const uint64_t moves = watchers.moves();
  RunUntil(clock.now() + kQuiet, pair, invariants, [&] { return watchers.moves() != moves; });
  if (watchers.moves() != moves) invariants.Break("a role changed although nothing had happened");
  if (why = WhyNotSettled(pair, all_back); !why.empty())
    invariants.Break(absl::StrCat("did not stay at rest: ", why));
}

// Where nothing is broken, what an operator asks for succeeds, and soon.
void AskAtRest(int node, core::OperationKind kind, Pair& pair, Chaos& chaos,
               const Watchers& watchers, Invariants& invariants) {
  const core::OperationId id{chaos.AskFor(node, kind, /*force=*/false)};
  const auto ended = [&] { return watchers.finished().operation == id; };
  RunUntil(pair.clock().now() + Longest(kRestBound), pair, invariants, ended);
  if (ended() && watchers.finished().status.ok()) return;
  invariants.Break(absl::StrCat(
      "at rest, ", core::Name(kind), " of node", node + 1, " did not succeed within ",
      absl::FormatDuration(Longest(kRestBound)), ": ",
      ended() ? watchers.finished().status.ToString() : std::string("it has not ended")));
}

// A faster advert reaches the master first, a slower one the backup: then nobody misses one, and
// nobody moves.
void ConfigureAtRest(int master, Pair& pair, Random& random, const Watchers& watchers,
                     Invariants& invariants) {
  core::Config drawn;
  DrawSettings(random, drawn);
  core::Config config = pair.node(master).config();
  const bool faster = drawn.advert_interval < config.advert_interval;
  config.advert_interval = drawn.advert_interval;
  const uint64_t moves = watchers.moves();
  for (int node : {faster ? master : 1 - master, faster ? 1 - master : master}) {
    pair.node(node).Configure(config);
    RunUntil(pair.clock().now() + random.Between(absl::Milliseconds(2), absl::Seconds(2)), pair,
             invariants, [] { return false; });
  }
  if (watchers.moves() != moves)
    invariants.Break("a role changed although only the advert interval did");
}

// A master whose front dies gives way; where both die at once nobody moves.
void SickenAtRest(int master, Pair& pair, Random& random, Chaos& chaos, const Watchers& watchers,
                  Invariants& invariants) {
  const Node& serves = pair.node(master);
  if (core::MovesAreHeld(serves.agent()->state(), serves.clock().now())) return;
  const bool both = random.OneIn(3);
  const uint64_t moves = watchers.moves();
  chaos.SetFront(master, false);
  if (both) chaos.SetFront(1 - master, false);
  const auto moved = [&] {
    return pair.node(1 - master).keepalived().state() == core::VrrpState::kMaster;
  };
  RunUntil(pair.clock().now() + Longest(kRestBound), pair, invariants,
           [&] { return !both && moved(); });
  if (!both && !moved()) invariants.Break("a master whose front is dead did not give way");
  if (both && watchers.moves() != moves)
    invariants.Break("a role changed although as much fails on both nodes");
  for (int node : {0, 1}) chaos.SetFront(node, true);
}

// A pair at rest can be switched over or configured, or either node taken out and brought back.
void Exercise(Pair& pair, Random& random, Chaos& chaos, const Watchers& watchers,
              Invariants& invariants) {
  for (int node : {0, 1}) {
    if (pair.node(node).agent()->state().durable.maintenance) return;
  }
  const bool first = pair.node(0).keepalived().state() == core::VrrpState::kMaster;
  const int master = first ? 0 : 1;
  if (random.OneIn(2)) ConfigureAtRest(master, pair, random, watchers, invariants);
  if (!invariants.broken().empty()) return;
  if (random.OneIn(4)) {
    SickenAtRest(master, pair, random, chaos, watchers, invariants);
    return;
  }
  if (random.OneIn(2)) {
    AskAtRest(master, core::OperationKind::kSwitchover, pair, chaos, watchers, invariants);
    return;
  }
  const int node = random.OneIn(2) ? master : 1 - master;
  for (auto kind :
       {core::OperationKind::kEnterMaintenance, core::OperationKind::kStartMaintenance}) {
    if (!invariants.broken().empty()) return;
    AskAtRest(node, kind, pair, chaos, watchers, invariants);
  }
}

}  // namespace

Outcome Run(uint64_t seed, Coverage& coverage, Trace* trace, const Without& without) {
  Random random(seed * 0x2545f4914f6cdd1d + 1);
  Invariants invariants;
  Watchers watchers(invariants, coverage, trace);
  Pair pair(random, watchers);
  invariants.Watch(pair);
  if (trace != nullptr) trace->Watch(pair);
  coverage.Begin();
  Chaos chaos(pair, random.Next(), watchers, without);

  const absl::Time begin = pair.clock().now();
  const uint64_t steps = coverage.steps();
  chaos.Begin();
  RunUntil(begin + random.Between(absl::Seconds(60), absl::Seconds(80)), pair, invariants,
           [] { return false; });
  if (invariants.broken().empty()) {
    const bool all_back = random.Percent(70);
    chaos.Cease(all_back);
    Settle(pair, all_back, watchers, invariants);
    if (invariants.broken().empty() && random.OneIn(2)) {
      Exercise(pair, random, chaos, watchers, invariants);
      if (invariants.broken().empty()) Settle(pair, all_back, watchers, invariants);
    }
  }
  return {invariants.broken(), coverage.steps() - steps, chaos.faults(), chaos.picks(),
          pair.clock().now() - begin};
}

}  // namespace zcluster::sim
