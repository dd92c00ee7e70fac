// SPDX-License-Identifier: Apache-2.0
// What the brain does when witnesses disagree: VRRP says that the master is gone, the link that it
// is there.
#include "absl/strings/str_cat.h"
#include "agent/core/brain.h"
#include "agent/core/names.h"
#include "agent/core/question.h"
#include "agent/core/roles.h"

namespace zcluster::core {

bool Brain::Apply(const VrrpReported& event) {
  if (state_.vrrp == event.state) return false;
  const bool takes_over = event.state == VrrpState::kMaster && MustAsk(state_);
  Log("vrrp_changed", {{"from", std::string(state_.vrrp ? Name(*state_.vrrp) : "nothing")},
                       {"to", std::string(Name(event.state))}});
  state_.vrrp = event.state;
  state_.question.reset();
  if (!takes_over) return true;
  state_.question =
      Question{.nonce = event.nonce, .until = now_ + QuestionBound(state_.config), .answer = {}};
  // The takeover stands meanwhile: the clients are told at once.
  acts_.push_back(Announce{});
  acts_.push_back(AskPeer{event.nonce});
  return true;
}

bool Brain::Apply(const PeerAnswered& event) {
  std::optional<Question>& question = state_.question;
  if (!question || question->refuted || question->answer || event.nonce != question->nonce ||
      now_ >= question->until) {
    return false;
  }
  question->answer = event.testimony;
  return true;
}

bool Brain::Apply(const PeerAsked& event) {
  state_.asked.reset();
  if (!Serves(state_)) {
    acts_.push_back(AnswerPeer{event.nonce, {false, false, WhyNotServing(state_)}});
  } else if (LinkUsesVrrpNetwork(state_)) {
    acts_.push_back(
        AnswerPeer{event.nonce, {true, true, "it answers over the network that VRRP uses"}});
  } else {
    state_.asked = event.nonce;
    acts_.push_back(ProbePath{event.nonce});
  }
  return true;
}

bool Brain::Apply(const PathProbed& event) {
  if (state_.asked != event.nonce) return false;
  state_.asked.reset();
  const bool serves = Serves(state_);
  acts_.push_back(AnswerPeer{
      event.nonce, {serves, event.alive, serves ? event.evidence : WhyNotServing(state_)}});
  return true;
}

bool Brain::DecideTakeover() {
  if (!state_.question) return false;
  const Judgement judgement = JudgeTakeover(state_, now_);
  const std::string& peer = state_.config.peer_name;
  switch (judgement.verdict) {
    case Verdict::kOpen:
      return false;
    case Verdict::kHolds:
      state_.question.reset();
      Log("takeover_holds", {{"peer", peer}, {"because", judgement.why}});
      return true;
    case Verdict::kRefuted:
      state_.question->refuted = true;
      Yield(HoldFor(state_, now_));
      Log("takeover_refuted",
          {{"peer", peer},
           {"cut_path", absl::StrCat("VRRP from ", state_.config.peer_address, " to ",
                                     state_.config.node_address)},
           {"because", absl::StrCat(peer, " is master, and its path lives: ", judgement.why)},
           {"held", absl::FormatDuration(state_.yielding.hold)}},
          /*warning=*/true);
      return true;
  }
  return false;
}

}  // namespace zcluster::core
