// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// controller.yaml, read, checked and completed with defaults: what is here cannot be wrong in
// itself.
namespace zcluster::controller {

struct Settings {
  std::string fleet;
  std::string name;           // the controller's own
  std::string agents_listen;  // ADDRESS:PORT, as are the others
  std::string enrolment_listen;
  std::string api_listen;
  std::string metrics_listen;  // or "off"
  // Where operators reach it: HOST:PORT.
  std::vector<std::string> api_addresses;
  absl::Duration report_interval;
  absl::Duration certificate_lifetime;
  uint64_t max_events = 0;
  uint32_t max_agents = 0;
  uint32_t agent_messages_per_second = 0;
};

// Reads and checks one file's text; an empty one is as good as none. INVALID_ARGUMENT: "file:line:
// field: what is wrong, what is expected".
absl::StatusOr<Settings> ParseSettings(absl::string_view file, absl::string_view text);

// The same from disk; a file that is not there is as good as an empty one.
absl::StatusOr<Settings> LoadSettings(const std::string& path);

}  // namespace zcluster::controller
