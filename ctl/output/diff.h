// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "ctl/output/style.h"

namespace zcluster::ctl {

// What changes from `before` to `after`, line by line, as `diff -u` shows it without its file
// names: "-" lines go, "+" lines come, up to three unchanged ones around them, and "@@" lines say
// where. Empty if nothing changes. Sanitised. The shortest such list, but for texts of thousands of
// changed lines, where all of the old goes and all of the new comes.
std::string Diff(absl::string_view before, absl::string_view after, const Style& style);

}  // namespace zcluster::ctl
