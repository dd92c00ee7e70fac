// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/fleet_pairs.h"

#include <algorithm>
#include <ostream>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "ctl/output/figures.h"
#include "ctl/terminal/prompt.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/fleet_words.h"
#include "ctl/verbs/print.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// What the controller gives at most.
constexpr uint32_t kPage = 1000;
// So many of what is to be confirmed are shown; a screen and a half.
constexpr size_t kMaxShown = 40;

}  // namespace

absl::StatusOr<PairsFound> FindPairs(Context& context, const std::string& selector,
                                     const std::string& order, uint32_t limit) {
  PairsFound found;
  v1::ListPairsRequest request;
  request.set_selector(selector);
  request.set_order(order);
  for (;;) {
    const uint32_t wanted = limit - static_cast<uint32_t>(found.pairs.size());
    request.set_page_size(std::min(kPage, wanted));
    v1::ListPairsResponse page;
    ZC_RETURN_IF_ERROR(
        Ask(context, [&request, &page](const Channel& channel, grpc::ClientContext* call) {
          return v1::FleetService::NewStub(channel)->List(call, request, &page);
        }));
    found.total = page.total();
    const bool empty = page.pairs().empty();
    for (v1::PairSummary& pair : *page.mutable_pairs()) {
      if (found.pairs.size() < limit) found.pairs.push_back(std::move(pair));
    }
    if (page.next_page().empty() || found.pairs.size() >= limit) return found;
    if (empty) return absl::InternalError("the controller's list of pairs does not end");
    request.set_page(page.next_page());
  }
}

absl::StatusOr<std::vector<v1::PairSummary>> ChosenPairs(Context& context,
                                                         const std::string& what) {
  const std::string selector = context.Value("--selector");
  ZC_ASSIGN_OR_RETURN(PairsFound found, FindPairs(context, selector, "", kMaxPairs));
  if (found.pairs.empty()) {
    return absl::NotFoundError(absl::StrCat("no pair matches --selector '", selector,
                                            "' (zctl fleet list --selector ...)"));
  }
  if (context.Has("--yes")) return std::move(found.pairs);
  const std::string many = CountOf(found.pairs.size(), "pair");
  Prompt prompt(context.in_fd, context.err);
  if (!prompt.IsTerminal()) {
    return absl::CancelledError(
        absl::StrCat("this concerns ", many, ", and needs --yes; nothing was done"));
  }
  Table table = PairsTable();
  for (size_t i = 0; i < std::min(found.pairs.size(), kMaxShown); ++i) {
    AddPair(found.pairs[i], table);
  }
  context.err << table.Render(context.style);
  if (found.pairs.size() > kMaxShown) {
    context.err << "... and " << Count(found.pairs.size() - kMaxShown) << " more\n";
  }
  if (prompt.Confirm(absl::StrCat(what, " ", many, ", one after the other?"))) {
    return std::move(found.pairs);
  }
  return absl::CancelledError("not confirmed; nothing was done");
}

absl::Status CheckChoice(const Context& context, bool words, const std::string& named) {
  const bool selected = context.Given("--selector");
  if (words && selected) {
    return absl::InvalidArgumentError(
        absl::StrCat(named, " and --selector both say which; keep one"));
  }
  if (words || selected) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(named, " is missing, or --selector in its place"));
}

absl::StatusOr<std::vector<std::string>> PairsMeant(Context& context,
                                                    const std::vector<std::string>& words,
                                                    const std::string& named,
                                                    const std::string& what) {
  ZC_RETURN_IF_ERROR(CheckChoice(context, !words.empty(), named));
  ZC_RETURN_IF_ERROR(CheckEachOnce(words));
  if (!words.empty()) return words;
  ZC_ASSIGN_OR_RETURN(const std::vector<v1::PairSummary> pairs, ChosenPairs(context, what));
  std::vector<std::string> names;
  for (const v1::PairSummary& pair : pairs) names.push_back(pair.name());
  return names;
}

absl::Status CheckEachOnce(const std::vector<std::string>& words) {
  std::set<std::string> seen;
  for (const std::string& word : words) {
    if (word.empty()) return absl::InvalidArgumentError("a name is empty; leave it out");
    if (!seen.insert(word).second) {
      return absl::InvalidArgumentError(absl::StrCat("'", word, "' is given twice"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<NodeOfPair> ParseNodeOfPair(const std::string& word) {
  const size_t slash = word.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == word.size() ||
      word.find('/', slash + 1) != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", word, "' is not PAIR/NODE, such as web-1/lb1"));
  }
  return NodeOfPair{word.substr(0, slash), word.substr(slash + 1)};
}

}  // namespace zcluster::ctl
