// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/rate.h"

namespace zcluster::controller {

// How often somebody may come with a proof of no token: nobody can guess one, but each try costs a
// look at all tokens. By address first, so that one stranger does not keep others out. Loop thread.
class WrongTries {
 public:
  // RESOURCE_EXHAUSTED: too many came from there, or in all; it says for how long.
  absl::Status MayTry(const std::string& address, absl::Time now) const;
  void Count(const std::string& address, absl::Time now);

  // From one IPv4 address, or one /64 of IPv6: five, then one in ten seconds.
  static constexpr double kOfOne = 5;
  static constexpr double kOfOnePerSecond = 0.1;
  // In all: a look at 10,000 tokens takes some 20 ms.
  static constexpr double kOfAll = 40;
  static constexpr double kOfAllPerSecond = 10;
  // Addresses that are remembered. Beyond them, those that are new count in all alone.
  static constexpr size_t kMostAddresses = 4096;
  size_t remembered() const { return by_address_.size(); }

 private:
  absl::flat_hash_map<std::string, Rate> by_address_;
  Rate all_{kOfAllPerSecond, kOfAll};
};

}  // namespace zcluster::controller
