// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ctl/verbs/verb.h"

namespace zcluster::ctl {

// All that zctl can do. The one list: parsing, help, completion and the manual page are made from
// it.
const Program& VerbTable();

}  // namespace zcluster::ctl
