// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "zcluster/v1/fleet.pb.h"

namespace zcluster::controller {

// In which order pairs are shown (proto ListPairsRequest.order). Pairs that are equal by it follow
// each other by name, so that the order of a fleet is one. Plain value; immutable.
class Order {
 public:
  // INVALID_ARGUMENT names the orders that there are. Empty: by name.
  static absl::StatusOr<Order> Parse(absl::string_view text);

  bool Before(const v1::PairSummary& a, const v1::PairSummary& b) const;

  // Where a pair stands, as far as pages need it. Plain value.
  struct Place {
    uint64_t number = 0;
    std::string text;
    std::string name;
  };
  Place PlaceOf(const v1::PairSummary& pair) const;
  // The place of a pair may be held against that of one which has moved since, or is gone.
  bool Before(const Place& a, const v1::PairSummary& b) const;

 private:
  enum class By { kName, kStatus, kFlows, kTerm, kMaster, kLabel };
  uint64_t NumberOf(const v1::PairSummary& pair) const;
  absl::string_view TextOf(const v1::PairSummary& pair) const;
  int Compare(uint64_t number, absl::string_view text, absl::string_view name,
              const v1::PairSummary& b) const;

  By by_ = By::kName;
  std::string label_;
  bool reversed_ = false;
};

// Which way the colours are ordered: the worst has the lowest. RED, GREY (nobody knows how it is),
// ORANGE (somebody wants it so), GREEN.
int Badness(v1::Status status);

// A page of `pairs`, which need not be in order. `page` is empty for the first one, else what the
// page before said: INVALID_ARGUMENT if it is of another selector or order, or of nobody's making.
// A page is shorter than asked for if it would not fit in a message.
// A pair that does not change between two pages is on exactly one of them, whatever becomes of the
// others.
struct Page {
  std::vector<const v1::PairSummary*> pairs;
  std::string next;  // empty: this was the last
};
absl::StatusOr<Page> PageOf(std::vector<const v1::PairSummary*> pairs,
                            const v1::ListPairsRequest& request);

}  // namespace zcluster::controller
