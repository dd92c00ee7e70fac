// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/brain.h"
#include "agent/core/names.h"
#include "gtest/gtest.h"

namespace zcluster::core {

// For gtest's messages.
inline void PrintTo(const Term& term, std::ostream* out) { *out << "term " << term.value; }
inline void PrintTo(Role role, std::ostream* out) { *out << std::string(Name(role)); }
inline void PrintTo(Standing standing, std::ostream* out) { *out << static_cast<int>(standing); }

inline Config TestConfig() {
  Config config;
  config.node_name = "node1";
  config.node_address = "192.0.2.9";
  config.peer_name = "node2";
  config.peer_address = "192.0.2.10";
  config.advert_interval = absl::Milliseconds(100);
  return config;
}

inline ConntrackState Synchronised() {
  ConntrackState conntrack;
  conntrack.synchronised = true;
  return conntrack;
}

inline RootState EqualRoot() {
  RootState root;
  root.path = "/etc/haproxy";
  root.local_digest = root.remote_digest = "aa";
  return root;
}

inline NodeState PeerAs(Role role, uint64_t own_term, uint64_t term) {
  NodeState peer;
  peer.role = role;
  peer.own_term = Term{own_term};
  peer.term = Term{term};
  peer.priority = role == Role::kMaster ? 253 : 252;
  peer.status = Status::kGreen;
  peer.message = "well";
  peer.conntrack = Synchronised();
  return peer;
}

// A brain on the bench: what happens is told to it, what it orders is kept. The disk answers when
// told to.
class Bench {
 public:
  explicit Bench(Config config = TestConfig(), Durable durable = {})
      : brain_(std::move(config), durable) {}

  // Tells the brain; what it orders replaces what it ordered before, and is appended to all().
  Bench& Tell(const Event& event) {
    last_ = brain_.Step(event, now_);
    for (const Action& action : last_) {
      if (std::holds_alternative<Persist>(action)) ++writing_;
      all_.push_back(action);
    }
    return *this;
  }

  // Time passes, in ticks as the driver's.
  Bench& Pass(absl::Duration length) {
    const absl::Time end = now_ + length;
    std::vector<Action> orders;
    while (now_ < end) {
      now_ = std::min(now_ + absl::Milliseconds(100), end);
      Tell(Ticked{now_ + wall_ahead_});
      orders.insert(orders.end(), last_.begin(), last_.end());
    }
    last_ = std::move(orders);
    return *this;
  }

  // The wall clock is set, by so much.
  Bench& SetClock(absl::Duration by) {
    wall_ahead_ += by;
    return *this;
  }
  absl::Time wall() const { return now_ + wall_ahead_; }

  // The disk has all that was ordered.
  Bench& Sync() {
    std::vector<Action> orders;
    for (; writing_ > 0; --writing_) {
      last_ = brain_.Step(Persisted{}, now_);
      for (const Action& action : last_) {
        if (std::holds_alternative<Persist>(action)) ++writing_;
        all_.push_back(action);
        orders.push_back(action);
      }
    }
    last_ = std::move(orders);
    return *this;
  }

  Bench& Start() { return Tell(Started{}); }
  Bench& Vrrp(VrrpState state) { return Tell(VrrpReported{state, ++nonce_}); }
  // The peer answers the question that was asked last.
  Bench& Answer(const Testimony& testimony) {
    const std::optional<AskPeer> asked = Ever<AskPeer>();
    return Tell(PeerAnswered{asked ? asked->nonce : 0, testimony});
  }
  Bench& Connect(uint64_t term = 0) {
    return Tell(PeerConnected{"192.0.2.10:7700", "0.1.0", Term{term}});
  }
  Bench& Peer(Role role, uint64_t own_term, uint64_t term) {
    return Tell(PeerReported{PeerAs(role, own_term, term)});
  }
  Bench& Ask(OperationKind kind, bool force = false, uint64_t id = 1) {
    return Tell(OperationAsked{OperationId{id}, kind, force});
  }

  // The whole way to a pair at rest in which this node is master, in term 1.
  Bench& BecomeReadyMaster() {
    Start().Vrrp(VrrpState::kBackup).Vrrp(VrrpState::kMaster).Sync();
    Connect().Peer(Role::kBackup, 0, 1).Tell(ConntrackReported{Synchronised()});
    return *this;
  }
  // In which the peer is master, in term 1.
  Bench& BecomeReadyBackup() {
    Start().Vrrp(VrrpState::kBackup).Connect(1).Sync().Peer(Role::kMaster, 1, 1);
    Tell(ConntrackReported{Synchronised()});
    return *this;
  }

  // The latest T among what was last ordered; nothing if there is none.
  template <typename T>
  std::optional<T> Last() const {
    return Latest<T>(last_);
  }
  // Among all that was ever ordered.
  template <typename T>
  std::optional<T> Ever() const {
    return Latest<T>(all_);
  }
  template <typename T>
  int Count() const {
    int count = 0;
    for (const Action& action : all_) count += std::holds_alternative<T>(action) ? 1 : 0;
    return count;
  }
  bool Logged(const std::string& event) const { return !Field(event, "").empty(); }
  // The value of `key` in the latest decision of that name; "-" if it has none; empty if there is
  // no such decision.
  std::string Field(const std::string& event, const std::string& key) const {
    std::string found;
    for (const Action& action : all_) {
      const auto* decision = std::get_if<LogDecision>(&action);
      if (decision == nullptr || decision->event != event) continue;
      found = "-";
      for (const auto& [name, value] : decision->fields) {
        if (name == key) found = value;
      }
    }
    return found;
  }

  const State& state() const { return brain_.state(); }
  const std::vector<Action>& last() const { return last_; }
  const std::vector<Action>& all() const { return all_; }

 private:
  template <typename T>
  static std::optional<T> Latest(const std::vector<Action>& actions) {
    std::optional<T> found;
    for (const Action& action : actions) {
      if (const T* match = std::get_if<T>(&action)) found = *match;
    }
    return found;
  }

  Brain brain_;
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  absl::Duration wall_ahead_ = absl::ZeroDuration();
  int writing_ = 0;
  uint64_t nonce_ = 100;
  std::vector<Action> last_;
  std::vector<Action> all_;
};

}  // namespace zcluster::core
