// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "agent/machine/rtnetlink.h"

namespace zcluster::machine {

// Why no pair can be made on `address` of `link`, as a clause without a full stop that can follow
// "refused: "; empty: it can. `master` is the name of the interface that `link` belongs to, if it
// does; `vip` whether the address is one of the pair's. Pure.
std::string WhyRefused(const Link& link, const LinkAddress& address, absl::string_view master,
                       bool vip);

}  // namespace zcluster::machine
