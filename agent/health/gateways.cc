// SPDX-License-Identifier: Apache-2.0
#include "agent/health/gateways.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace zcluster::health {

Gateways::Gateways(Loop& loop, std::function<void()> changed)
    : loop_(loop), changed_(std::move(changed)) {}

void Gateways::Ask(const std::vector<std::string>& gateways, FindWays find) {
  std::map<std::string, Gateway> kept;
  for (const std::string& address : gateways) {
    auto known = gateways_.find(address);
    kept[address] = known == gateways_.end() ? Gateway() : std::move(known->second);
  }
  order_ = gateways;
  find_ = std::move(find);
  gateways_ = std::move(kept);
  timer_.reset();
  if (order_.empty()) return;
  timer_ = loop_.Every(kRound / kAsksARound, [this] { Beat(); });
  BeginRound();
}

void Gateways::Stop() {
  timer_.reset();
  gateways_.clear();
}

void Gateways::Beat() {
  if (asked_ < kAsksARound) return AskAgain();
  EndRound();
  BeginRound();
}

void Gateways::BeginRound() {
  const std::vector<Way> ways = find_(order_);
  ZC_CHECK(ways.size() == order_.size());
  for (size_t i = 0; i < order_.size(); ++i) {
    Gateway& gateway = gateways_[order_[i]];
    gateway.way = ways[i];
    gateway.answered = false;
    gateway.problem.clear();
    gateway.questions.clear();
  }
  asked_ = 0;
  AskAgain();
}

void Gateways::AskAgain() {
  ++asked_;
  for (auto& [address, gateway] : gateways_) {
    if (!gateway.answered) AskOne(address, gateway);
  }
}

void Gateways::AskOne(const std::string& address, Gateway& gateway) {
  if (gateway.way.interface.empty()) {
    gateway.problem = "no interface of this node has a network that holds it";
    return;
  }
  absl::StatusOr<NeighbourQuestion> question =
      NeighbourQuestion::Ask(gateway.way.interface, address, gateway.way.source);
  if (!question.ok()) {
    gateway.problem = absl::StrCat("cannot be asked: ", question.status().message());
    return;
  }
  gateway.problem.clear();
  auto asked = std::make_unique<Question>(Question{*std::move(question), nullptr});
  asked->watch =
      loop_.WatchReadable(asked->question.fd(), [this, address] { OnReadable(address); });
  gateway.questions.push_back(std::move(asked));
}

void Gateways::OnReadable(const std::string& address) {
  Gateway& gateway = gateways_[address];
  gateway.answered = std::any_of(gateway.questions.begin(), gateway.questions.end(),
                                 [](const auto& asked) { return asked->question.Answered(); });
  if (!gateway.answered) return;
  gateway.questions.clear();
  if (gateway.verdict.Add(true, absl::StrCat("answers on ", gateway.way.interface))) changed_();
}

void Gateways::EndRound() {
  bool changed = false;
  for (auto& [address, gateway] : gateways_) {
    if (gateway.answered) continue;
    const std::string& why = gateway.problem;
    changed |= gateway.verdict.Add(
        false, why.empty() ? absl::StrCat("does not answer on ", gateway.way.interface) : why);
  }
  if (changed) changed_();
}

std::vector<core::HealthCheck> Gateways::Results() const {
  std::vector<core::HealthCheck> results;
  for (const std::string& address : order_) {
    const auto known = gateways_.find(address);
    if (known == gateways_.end() || !known->second.verdict.known()) continue;
    const Verdict& verdict = known->second.verdict;
    results.push_back(
        {absl::StrCat("gateway ", address), verdict.passes(), verdict.evidence(), kGatewaySettles});
  }
  return results;
}

}  // namespace zcluster::health
