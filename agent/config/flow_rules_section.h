// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "common/flow_rule.h"
#include "common/yaml.h"
#include "zcluster/v1/config.pb.h"

namespace zcluster::config {

// Reads `only` and `skip` of pair.yaml's `conntrack`, which may be absent, into `rules`. Errors as
// ParsePair's.
absl::Status ReadFlowRules(const YamlDocument& document, const v1::PairConfig::Conntrack& file,
                           FlowRules& rules);

}  // namespace zcluster::config
