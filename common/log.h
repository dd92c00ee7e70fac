// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

// Structured log lines on standard error: `event key=value key="two words"`, one line each, with
// the journal's priority prefix (<6>) when JOURNAL_STREAM is set and a UTC time otherwise. Any
// thread. Never log a secret, nothing per packet.
namespace zcluster::log {

using Fields = std::vector<std::pair<std::string, std::string>>;

// What happened; no need to act.
void Info(absl::string_view event, const Fields& fields = {});
// An operator should act on it.
void Warning(absl::string_view event, const Fields& fields = {});
// The program cannot go on.
void Error(absl::string_view event, const Fields& fields = {});

}  // namespace zcluster::log
