// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ctl/output/json.h"

namespace zcluster::ctl {

// `value` as a YAML document in block style, ends with a newline. Strings are quoted only where
// some reader, of YAML 1.1 or 1.2, could take them for anything but a string; those of several
// lines become literal blocks.
std::string Yaml(const Json& value);

}  // namespace zcluster::ctl
