// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/loop.h"
#include "controller/core/ids.h"
#include "zcluster/v1/flows.pb.h"

namespace zcluster::controller {

// Who looks at whose connections: agents show them only while somebody does, as many as the most
// curious wants. Loop thread.
class FlowWatch {
 public:
  static constexpr size_t kMaxWatchers = 64;

  // `ask` tells an agent how many changes a second to show; 0: none.
  using Ask = std::function<void(const AgentId&, uint32_t max_per_second)>;
  // `agents_of` names the agents of a pair, both nodes'.
  using AgentsOf = std::function<std::vector<AgentId>(const std::string& pair)>;
  FlowWatch(Ask ask, AgentsOf agents_of);

  // `tell` is told what is seen until the registration is gone, which may outlive this object.
  // RESOURCE_EXHAUSTED: too many look already.
  using Tell = std::function<void(const v1::FlowsSeen&)>;
  absl::StatusOr<Loop::Registration> Add(const std::string& pair, uint32_t max_per_second,
                                         Tell tell);

  // An agent is there anew, and knows nothing of what was asked.
  void Greet(const AgentId& agent) const;
  void Seen(const std::string& pair, const v1::FlowsSeen& flows) const;

  size_t watchers() const;

 private:
  struct Watcher {
    uint32_t max_per_second;
    Tell tell;
  };
  struct State {
    Ask ask;
    AgentsOf agents_of;
    std::map<std::string, std::map<uint64_t, std::shared_ptr<Watcher>>> pairs;
    uint64_t last = 0;
    uint32_t MostOf(const std::string& pair) const;
    void Tell(const std::string& pair, uint32_t before) const;
  };
  class Entry;

  const std::shared_ptr<State> state_;
};

}  // namespace zcluster::controller
