// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/core/ids.h"
#include "controller/store/records.h"
#include "controller/store/store.h"

namespace zcluster::controller {

// What the store holds but for events, in memory, and the one way to change it: nothing is true
// here before it is on the disk. Loop thread.
class Ledger {
 public:
  // Changes that wait for the disk; beyond it they are refused with RESOURCE_EXHAUSTED.
  static constexpr size_t kMaxWaiting = 1024;

  // `applied` is told each change once it is on the disk and in here. `store` outlives this.
  Ledger(Store& store, std::function<void(const Change&)> applied);

  // What shall be changed, from what is here; an error refuses it.
  using Decide = std::function<absl::StatusOr<std::vector<Change>>()>;
  // `decide` is called when no other change is under way, so that no two are decided from the same
  // state: a token that is used twice at once is used once. `done` is told once: `decide`'s error,
  // the disk's as UNAVAILABLE, or OK. It may be called at once; never after this is gone.
  void Transact(Decide decide, Store::Done done);

  const PairRecord* FindPair(const std::string& pair) const;
  const AgentRecord* FindAgent(const AgentId& agent) const;
  const TokenRecord* FindToken(const std::string& hash) const;
  std::vector<const AgentRecord*> AgentsOf(const std::string& pair) const;
  const std::map<std::string, PairRecord>& pairs() const { return pairs_; }
  const std::map<AgentId, AgentRecord>& agents() const { return agents_; }
  const std::map<std::string, TokenRecord>& tokens() const { return tokens_; }
  const std::map<std::string, OperatorRecord>& operators() const { return operators_; }

  // The store has taken events of that journal up to that number.
  void Taken(const AgentId& agent, const std::string& journal, uint64_t number);

 private:
  struct Task {
    Decide decide;
    Store::Done done;
  };
  void Advance();
  void Apply(const Change& change);
  void Put(const AgentRecord& agent);

  Store& store_;
  const std::function<void(const Change&)> applied_;
  std::map<std::string, PairRecord> pairs_;
  std::map<AgentId, AgentRecord> agents_;
  std::map<std::string, TokenRecord> tokens_;
  std::map<std::string, OperatorRecord> operators_;
  bool busy_ = false;
  std::deque<Task> waiting_;
  const std::shared_ptr<char> alive_ = std::make_shared<char>();  // the store may answer later
};

}  // namespace zcluster::controller
