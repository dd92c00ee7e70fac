// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/link.h"

#include <algorithm>
#include <utility>

namespace zcluster::sim {
namespace {

// A link that is silent for so long is given up, as the adapter does.
constexpr absl::Duration kSilence = absl::Seconds(3);
constexpr absl::Duration kLongestDelay = absl::Milliseconds(30);

}  // namespace

Link::Link(Clock& clock, Random& random, const Network& network, std::array<Side, 2> sides)
    : clock_(clock), random_(random), network_(network), sides_(std::move(sides)) {
  clock_.After(absl::ZeroDuration(), [this] { Dial(); });
}

void Link::Dial() {
  clock_.After(random_.Between(absl::Milliseconds(100), absl::Seconds(2)), [this] { Dial(); });
  if (!sides_[0].alive() || connection_[0] != 0 || connecting_) return;
  if (!network_.link[0] || !network_.link[1] || !sides_[1].alive()) {
    const bool refused = network_.link[0] && network_.link[1];
    sides_[0].report(core::PeerDisconnected{refused ? "connection refused" : "no answer"});
    return;
  }
  connecting_ = true;
  clock_.After(random_.Between(absl::Milliseconds(1), absl::Milliseconds(20)),
               [this] { Connect(); });
}

void Link::Connect() {
  connecting_ = false;
  if (!sides_[0].alive() || !sides_[1].alive() || connection_[0] != 0) return;
  const uint64_t connection = ++connections_;
  // The one that serves may believe in an older connection still: the new one supersedes it, said
  // or unsaid.
  if (connection_[1] != 0 && random_.OneIn(2)) Lose(1, connection_[1], "superseded");
  for (int node : {0, 1}) {
    connection_[Index(node)] = connection;
    last_heard_[Index(node)] = sides_[Index(node)].clock.now();
    last_arrival_[Index(node)] = clock_.now();
    stuck_[Index(node)].clear();
  }
  for (int node : {0, 1}) {
    const char* address =
        network_.link_on_vrrp_network ? kAddresses[Index(1 - node)] : "198.51.100.1";
    sides_[Index(node)].report(core::PeerConnected{address, "sim", told_term_[Index(1 - node)]});
    WatchSilence(node, connection);
  }
}

void Link::Send(int node, const core::NodeState& state) {
  told_term_[Index(node)] = state.term;
  Send(node, core::Event(core::PeerReported{state}));
}

void Link::Send(int node, core::Event word) {
  const uint64_t connection = connection_[Index(node)];
  if (connection == 0) return;
  const int to = 1 - node;
  absl::Time& arrival = last_arrival_[Index(to)];
  arrival =
      std::max(arrival, clock_.now() + random_.Between(absl::Microseconds(100), kLongestDelay));
  clock_.At(arrival, [this, to, message = Message{connection, std::move(word)}]() mutable {
    Arrive(to, std::move(message));
  });
}

void Link::Arrive(int to, Message message) {
  if (connection_[Index(to)] != message.connection) return;
  if (!network_.link[Index(1 - to)] || !stuck_[Index(to)].empty()) {
    stuck_[Index(to)].push_back(std::move(message));
    return;
  }
  last_heard_[Index(to)] = sides_[Index(to)].clock.now();
  sides_[Index(to)].report(message.word);
}

void Link::WireRepaired() {
  for (int to : {0, 1}) {
    if (!network_.link[Index(1 - to)]) continue;
    for (Message& message : std::exchange(stuck_[Index(to)], {})) Arrive(to, std::move(message));
  }
}

void Link::WatchSilence(int node, uint64_t connection) {
  if (connection_[Index(node)] != connection) return;
  const absl::Time due = last_heard_[Index(node)] + kSilence;
  MachineClock& clock = sides_[Index(node)].clock;
  if (clock.now() >= due) {
    Lose(node, connection, "silent for 3 s");
    TellOfEnd(1 - node, connection, "the peer gave up the link");
    return;
  }
  clock.At(due, [this, node, connection] { WatchSilence(node, connection); });
}

void Link::TellOfEnd(int node, uint64_t connection, const std::string& reason) {
  clock_.After(random_.Between(absl::Microseconds(100), kLongestDelay),
               [this, node, connection, reason] {
                 if (network_.link[Index(1 - node)]) Lose(node, connection, reason);
               });
}

void Link::Lose(int node, uint64_t connection, const std::string& reason) {
  if (connection == 0 || connection_[Index(node)] != connection) return;
  connection_[Index(node)] = 0;
  stuck_[Index(node)].clear();
  sides_[Index(node)].report(core::PeerDisconnected{reason});
}

void Link::AgentDied(int node, bool power_cut) {
  const uint64_t connection = std::exchange(connection_[Index(node)], 0);
  stuck_[Index(node)].clear();
  told_term_[Index(node)] = core::Term{};
  if (connection != 0 && !power_cut) TellOfEnd(1 - node, connection, "connection reset");
}

}  // namespace zcluster::sim
