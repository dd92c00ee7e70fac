// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/fleet.pb.h"

// Which pairs a verb is about. The main thread.
namespace zcluster::ctl {

// More pairs than any fleet has; who tells of more is not believed.
inline constexpr uint32_t kMaxPairs = 100'000;

// Pairs of the fleet.
struct PairsFound {
  std::vector<v1::PairSummary> pairs;
  uint64_t total = 0;  // that match, those beyond the limit too
};

// Pages through the list until its end, or until `limit` of them. `selector` and `order` as the
// proto has them; empty: all, by name.
absl::StatusOr<PairsFound> FindPairs(Context& context, const std::string& selector,
                                     const std::string& order, uint32_t limit);

// Those that --selector chooses, after they were shown and confirmed. `what` is the question, as in
// "Switch over". CANCELLED if the answer is no, or if nobody sits there and --yes is missing;
// NOT_FOUND if none matches.
absl::StatusOr<std::vector<v1::PairSummary>> ChosenPairs(Context& context, const std::string& what);

// INVALID_ARGUMENT unless either words name something, as `named` calls it ("PAIR"), or --selector
// does.
absl::Status CheckChoice(const Context& context, bool words, const std::string& named);

// The names of the pairs that are meant: `words`, each once, or what --selector chooses.
absl::StatusOr<std::vector<std::string>> PairsMeant(Context& context,
                                                    const std::vector<std::string>& words,
                                                    const std::string& named,
                                                    const std::string& what);

// INVALID_ARGUMENT names the word that is there twice: a pair would be switched there and back.
absl::Status CheckEachOnce(const std::vector<std::string>& words);

// Two parts of PAIR/NODE. INVALID_ARGUMENT if it is not.
struct NodeOfPair {
  std::string pair;
  std::string node;
};
absl::StatusOr<NodeOfPair> ParseNodeOfPair(const std::string& word);

}  // namespace zcluster::ctl
