// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/requests.h"

#include <string>
#include <utility>
#include <vector>

namespace zcluster::controller {

void Requests::Add(uint64_t id, Progress progress, absl::Time now) {
  open_.insert_or_assign(id, Open{std::move(progress), now});
}

void Requests::Tell(const v1::RequestProgress& progress) {
  const auto found = open_.find(progress.id());
  if (found == open_.end()) return;
  found->second.heard = true;
  const Progress tell = found->second.progress;
  if (progress.has_end()) open_.erase(found);
  tell(progress);
}

void Requests::EndUnheard(absl::Time before, const absl::Status& why) {
  std::vector<uint64_t> overdue;
  for (const auto& [id, open] : open_) {
    if (!open.heard && open.asked < before) overdue.push_back(id);
  }
  std::vector<std::pair<uint64_t, Progress>> ended;
  for (const uint64_t id : overdue) {
    ended.emplace_back(id, std::move(open_.extract(id).mapped().progress));
  }
  for (const auto& [id, tell] : ended) tell(EndOf(id, why));
}

void Requests::EndAll(const absl::Status& why) {
  for (const auto& [id, open] : std::exchange(open_, {})) open.progress(EndOf(id, why));
}

v1::RequestProgress Requests::EndOf(uint64_t id, const absl::Status& why) {
  v1::RequestProgress progress;
  progress.set_id(id);
  progress.mutable_end()->set_code(static_cast<int>(why.code()));
  progress.mutable_end()->set_message(std::string(why.message()));
  return progress;
}

}  // namespace zcluster::controller
