// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/loop.h"
#include "controller/core/ids.h"
#include "controller/store/store.h"
#include "zcluster/v1/event.pb.h"
#include "zcluster/v1/fleet.pb.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster::controller {

// Takes what agents tell of what happened to the disk, in the order of each journal: the next batch
// of an agent goes when the one before is there, since events that came behind a failed write would
// make those before them look lost. Loop thread.
//
// While the disk takes nothing, batches are kept within bounds and tried again; what does not fit
// is dropped, and its agent falls behind: nothing more of it is taken, its reports go on. Once the
// disk takes again, such agents are asked to tell again, some each second, by ending their streams.
// Nothing is lost by it (an agent keeps what was not acknowledged), and nothing is there twice (the
// store knows each number).
class Intake {
 public:
  static constexpr size_t kMaxBytes = 64 << 20;  // of all batches that are kept
  static constexpr size_t kMaxBatches = 4;       // of one agent
  static constexpr absl::Duration kRetry = absl::Seconds(1);
  static constexpr size_t kResumedEach = 100;  // agents asked to tell again, each kRetry

  struct Told {
    // A batch of so many events is on the disk: to be acknowledged, if the agent is still
    // connected.
    std::function<void(const AgentId&, const std::string& journal, uint64_t taken, size_t events)>
        taken;
    // The agent has dropped so many before we had them.
    std::function<void(const AgentId&, uint64_t count)> lost;
    // These are on the disk now, and were not; in the order of their numbers.
    std::function<void(std::vector<v1::FleetEvent> events)> grown;
    // Its stream shall end, so that it tells again.
    std::function<void(const AgentId&, const absl::Status&)> again;
  };
  // `loop` and `store` outlive this.
  Intake(Loop& loop, Store& store, Told told);
  ~Intake();

  // An agent is there, with that journal.
  void Begin(const AgentId& agent, std::string journal);
  // A batch that CheckEvents() has passed. One of an agent that is not there is dropped.
  void Take(const AgentId& agent, v1::EventBatch batch);
  void End(const AgentId& agent);

  // An event of the controller's own, about a pair. One that does not fit is lost, and logged.
  void Own(const std::string& pair, v1::Event event);

  size_t bytes() const { return bytes_; }

 private:
  struct Source {
    std::string journal;
    uint64_t life = 0;  // grows: an answer for an earlier one is not for this
    std::deque<Store::Batch> waiting;
    bool under_way = false;  // the first of `waiting`
    bool behind = false;
  };
  bool Keep(Source& source, Store::Batch batch, size_t most);
  void Advance(const AgentId& agent);
  void Append(const AgentId& agent, Source& source);
  void AdvanceAll();
  void Answer(const AgentId& agent, uint64_t life, const std::string& journal, size_t size,
              absl::StatusOr<Store::Appended> answer);
  void Drop(Source& source);
  void Tick();
  void Retry();
  void Probe();
  void AskAgain();

  Loop& loop_;
  Store& store_;
  const Told told_;
  std::map<AgentId, Source> sources_;  // the controller's own has an empty id
  std::set<AgentId> behind_;
  size_t bytes_ = 0;
  uint64_t lives_ = 0;
  bool stalled_ = false;      // the disk did not take the last write
  Loop::Registration timer_;  // while stalled, or while somebody is behind
  const std::shared_ptr<char> alive_ = std::make_shared<char>();  // the store may answer later
};

}  // namespace zcluster::controller
