// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ctl/output/json.h"
#include "ctl/verbs/verb.h"

namespace zcluster::ctl {

// Whether programs read what is printed: JSON or YAML instead of text.
bool ForPrograms(const Context& context);

// `value` on standard output as -o says: JSON in one line, or a YAML document.
void Print(Context& context, const Json& value);

}  // namespace zcluster::ctl
