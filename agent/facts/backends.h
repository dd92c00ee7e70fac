// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/core/types.h"

namespace zcluster::facts {

// Whether what the pair serves, or the peer's agent, can be reached from this node: a TCP
// connection to each, ended as soon as it stands. One thread at a time.
class Backends {
 public:
  // How long a backend has to answer.
  static constexpr absl::Duration kPatience = absl::Seconds(2);

  // Tries all of `endpoints` (ADDRESS:PORT) at once; at most kPatience long, and no longer than
  // until `stop` is readable.
  void Probe(const std::vector<std::string>& endpoints, int stop);

  // A fact for each that is known: "reachable" after one success, why not after two failures in a
  // row, lest one lost packet makes the pair unready.
  // The fact's name is `prefix` (core::fact) and the endpoint.
  std::vector<core::Fact> Known(const std::vector<std::string>& endpoints,
                                absl::string_view prefix) const;

 private:
  struct Verdict {
    std::string value;  // empty: none yet
    int failures = 0;   // in a row
  };
  std::map<std::string, Verdict> verdicts_;
};

}  // namespace zcluster::facts
