// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/config/config.h"
#include "common/yaml.h"
#include "zcluster/v1/config.pb.h"

namespace zcluster::config {

// What a check is that does not say so: the timeout is the interval if that is shorter.
inline constexpr absl::Duration kCheckInterval = absl::Seconds(2);
inline constexpr absl::Duration kCheckTimeout = absl::Seconds(1);
inline constexpr uint32_t kCheckRise = 2;
inline constexpr uint32_t kCheckFall = 3;

// Reads pair.yaml's `health`, which may be absent, into `settings`. Errors as ParsePair's.
absl::Status ReadHealth(const YamlDocument& document, const v1::PairConfig::Health& file,
                        HealthSettings& settings);

}  // namespace zcluster::config
