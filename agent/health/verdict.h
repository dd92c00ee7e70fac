// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace zcluster::health {

// What the results of one check, as they come, amount to: it takes so many in a row that are alike
// to turn it, so that one lost packet moves nothing. Pure.
class Verdict {
 public:
  // `rise` passes in a row make it pass, `fall` failures in a row make it fail; both at least 1.
  Verdict(int rise, int fall) : rise_(rise), fall_(fall) {}

  // True if there is something else to say. `evidence`: what was seen, one sentence without a full
  // stop. While it fails the newest counts; while it passes that of the turn.
  bool Add(bool passes, const std::string& evidence);

  // There is one; before, neither so many passes nor so many failures have come.
  bool known() const { return state_ != State::kUnknown; }
  bool passes() const { return state_ == State::kPasses; }
  const std::string& evidence() const { return evidence_; }

 private:
  enum class State { kUnknown, kPasses, kFails };

  int rise_;
  int fall_;
  State state_ = State::kUnknown;
  int in_a_row_ = 0;
  bool last_ = false;
  std::string evidence_;
};

}  // namespace zcluster::health
