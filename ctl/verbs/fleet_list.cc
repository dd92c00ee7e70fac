// SPDX-License-Identifier: Apache-2.0
// zctl fleet list: the pairs of a fleet, a line each.
#include <unistd.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ctl/output/figures.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/fleet_pairs.h"
#include "ctl/verbs/fleet_words.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"

namespace zcluster::ctl {
namespace {

// "2,500 pairs: 2,490 GREEN, 8 RED, 2 GREY"
std::string Summary(const PairsFound& found, const Style& style) {
  Tally tally;
  for (const v1::PairSummary& pair : found.pairs) tally.Add(pair.status());
  const std::string shown =
      found.pairs.size() < found.total ? absl::StrCat(Count(found.pairs.size()), " of ") : "";
  return absl::StrCat(shown, CountOf(found.total, "pair"), ": ", tally.Text(style));
}

void Show(Context& context, const PairsFound& found) {
  if (found.pairs.empty()) {
    context.out << (context.Given("--selector") ? "no pair matches\n"
                                                : "the fleet has no pair yet (zctl fleet token)\n");
    return;
  }
  Table table = PairsTable();
  for (const v1::PairSummary& pair : found.pairs) AddPair(pair, table);
  context.out << table.Render(context.style);
  // Only for people: a line that is no pair would be one too many for a program.
  if (isatty(context.out_fd) == 1) context.out << '\n' << Summary(found, context.style) << '\n';
}

}  // namespace

ExitCode FleetList(Context& context) {
  uint32_t limit = kMaxPairs;
  if (context.Given("--limit")) {
    const auto given = NumberOf(context, "--limit", 1, kMaxPairs);
    if (!given.ok()) return Fail(context, given.status());
    limit = *given;
  }
  const auto found =
      FindPairs(context, context.Value("--selector"), context.Value("--sort"), limit);
  if (!found.ok()) return Fail(context, found.status());
  if (!ForPrograms(context)) {
    Show(context, *found);
    return ExitCode::kOk;
  }
  std::vector<Json> pairs;
  for (const v1::PairSummary& pair : found->pairs) pairs.push_back(PairJson(pair));
  Print(context, Json::Object({{"pairs", Json::List(std::move(pairs))},
                               {"total", Json::Number(found->total)}}));
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
