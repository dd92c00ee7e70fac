// SPDX-License-Identifier: Apache-2.0
#include "agent/core/question.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/core/names.h"
#include "agent/core/roles.h"

namespace zcluster::core {

bool MustAsk(const State& state) {
  return state.role == Role::kBackup && state.peer.Says(Role::kMaster) && !MustStandAside(state);
}

absl::Duration QuestionBound(const Config& config) {
  return std::clamp(config.advert_interval, kShortestQuestion, kLongestQuestion);
}

Judgement JudgeTakeover(const State& state, absl::Time now) {
  const Question& question = *state.question;
  const std::string& peer = state.config.peer_name;
  if (question.refuted) return {};  // settled; it only waits for VRRP
  if (question.answer) {
    const Testimony& said = *question.answer;
    if (said.master && said.path_alive) return {Verdict::kRefuted, said.evidence};
    return {Verdict::kHolds, said.master
                                 ? absl::StrCat(peer, " is master, but its path: ", said.evidence)
                                 : absl::StrCat(peer, " does not serve: ", said.evidence)};
  }
  if (!state.peer.connected) return {Verdict::kHolds, "the link is lost"};
  if (!state.peer.Says(Role::kMaster))
    return {Verdict::kHolds, absl::StrCat(peer, " says that it is no longer master")};
  if (now >= question.until)
    return {Verdict::kHolds, absl::StrCat(peer, " does not answer within ",
                                          absl::FormatDuration(QuestionBound(state.config)))};
  return {};
}

bool Serves(const State& state) {
  return state.vrrp == VrrpState::kMaster && !state.question && !MustStandAside(state) &&
         state.problems.count(kHungKeepalived) == 0;
}

std::string WhyNotServing(const State& state) {
  const std::string fault = FaultReason(state);
  if (!fault.empty()) return absl::StrCat("stands aside: ", fault);
  if (state.problems.count(kHungKeepalived) > 0) return "its keepalived hangs";
  return absl::StrCat("keepalived says ", state.vrrp ? Name(*state.vrrp) : "nothing");
}

bool LinkUsesVrrpNetwork(const State& state) {
  return state.peer.address == state.config.peer_address;
}

}  // namespace zcluster::core
