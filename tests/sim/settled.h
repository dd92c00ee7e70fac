// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/sim/pair.h"

namespace zcluster::sim {

// `all_back`: no node may be in maintenance any more. What keeps a pair in which nothing is broken
// from being at rest: one master where a node may serve, both agreeing on who and in which term,
// synchronised, ready, nothing under way. Empty: at rest, and from then on nothing may move.
std::string WhyNotSettled(const Pair& pair, bool all_back);

}  // namespace zcluster::sim
