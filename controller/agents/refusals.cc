// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/refusals.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace zcluster::controller {

Refusals::Refusals(std::string event) : event_(std::move(event)) {}

bool Refusals::Note(absl::string_view who, absl::string_view reason, absl::Time now) {
  ++count_;
  uint64_t silent = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (!rate_.Take(now)) {
      ++silent_;
      return false;
    }
    silent = std::exchange(silent_, 0);
  }
  log::Fields fields = {{"reason", std::string(reason)}};
  if (!who.empty()) fields.insert(fields.begin(), {"who", std::string(who)});
  if (silent > 0) fields.push_back({"not_logged_before", absl::StrCat(silent)});
  log::Warning(event_, fields);
  return true;
}

}  // namespace zcluster::controller
