// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

// Which keys of an agent are let in (AgentRecord::key). A certificate that was given may never
// arrive: until the agent is seen with it, the old one must do, and so must those that were given
// in between. Pure.
namespace zcluster::controller {

// More than one is rare: an agent asks again when it did not get what it asked for.
inline constexpr size_t kMaxNewKeys = 3;

bool Admits(absl::string_view keys, absl::string_view key);
// Without those that are older than `key`, which the agent was seen with: it has kept it, and will
// not come with an older one. What is newer may still be on its way.
std::string Since(absl::string_view keys, absl::string_view key);
// With one more; of new ones beyond kMaxNewKeys the oldest goes.
std::string WithNew(absl::string_view keys, absl::string_view key);

}  // namespace zcluster::controller
