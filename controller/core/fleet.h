// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "controller/core/ids.h"
#include "controller/core/selector.h"
#include "controller/core/summary.h"
#include "zcluster/v1/fleet.pb.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster::controller {

// All pairs as they are known: what is enrolled, and what agents say. Decides nothing and keeps
// nothing; `now` is the loop's clock, for ages. What is said of a pair or agent that is not there
// is dropped. Some KiB a pair. Loop thread.
class Fleet {
 public:
  // Changes in nothing but the number of flows are told at most so often for each pair.
  static constexpr absl::Duration kCountersEvery = absl::Seconds(5);

  // A pair, or one that is there with other labels.
  void PutPair(const std::string& name, std::map<std::string, std::string> labels);
  void DropPair(const std::string& name);
  void PutAgent(const AgentId& agent);  // its pair is there
  void DropAgent(const AgentId& agent);

  void Connected(const AgentId& agent, const v1::AgentHello& hello, absl::Time now);
  // Something else than a report was heard of it.
  void Heard(const AgentId& agent, absl::Time now);
  // A report that CheckReport() has passed.
  void Report(const AgentId& agent, const v1::AgentReport& report, absl::Time now);
  void Gone(const AgentId& agent, const std::string& reason, absl::Time now);

  // Without ages; null if there is none. Valid until the next change of the pair.
  const v1::PairSummary* Find(const std::string& pair) const;
  // In the order of their names.
  std::vector<const v1::PairSummary*> Matching(const Selector& selector) const;
  // With ages.
  v1::PairSummary Show(const v1::PairSummary& pair, absl::Time now) const;
  // Null if it is not enrolled. Valid until the next change of the agent.
  const AgentView* FindAgent(const AgentId& agent) const;

  // Names of the pairs that came, went, or look different since it was called last.
  std::set<std::string> TakeChanged();

  size_t pairs() const { return pairs_.size(); }
  size_t agents() const { return agents_; }

 private:
  struct Pair {
    std::map<std::string, std::string> labels;
    AgentViews agents;
    v1::PairSummary summary;
    absl::Time counters_told = absl::InfinitePast();
    bool counters_due = false;
  };
  AgentView* Agent(const AgentId& agent);
  void Refresh(const std::string& name, absl::Time now);

  std::map<std::string, Pair> pairs_;
  size_t agents_ = 0;
  std::set<std::string> changed_;
};

}  // namespace zcluster::controller
