// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "zcluster/v1/fleet.pb.h"

namespace zcluster::controller {

// Which pairs: terms that must all hold, joined by commas (proto ListPairsRequest.selector).
//
//   KEY=VALUE   KEY!=VALUE   KEY in (A B)   KEY notin (A B)   KEY (it is there)   !KEY (it is not)
//
// KEY is a label, or one of `name`, `status` (GREEN, RED, GREY, ORANGE), `ready` (true, false),
// `master`, `node`, which mean the pair itself even if it has a label of that name. A label that is
// not there is unequal to every value. Plain value; immutable.
class Selector {
 public:
  // INVALID_ARGUMENT says at which character (from 1) what was expected. Spaces around words do not
  // matter; empty text selects all.
  static absl::StatusOr<Selector> Parse(absl::string_view text);

  bool Matches(const v1::PairSummary& pair) const;
  bool all() const { return terms_.empty(); }

 private:
  struct Term {
    std::string key;
    std::vector<std::string> values;  // one of them; empty: the key is there
    bool negated = false;
  };
  class Parser;
  static bool Holds(const Term& term, const v1::PairSummary& pair);

  std::vector<Term> terms_;
};

}  // namespace zcluster::controller
