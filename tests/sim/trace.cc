// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/trace.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/core/health.h"
#include "agent/core/names.h"

namespace zcluster::sim {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string Text(const core::Event& event) {
  return std::visit(
      Overloaded{
          [](const core::Started&) -> std::string { return "started"; },
          [](const core::Ticked&) -> std::string { return ""; },
          [](const core::Persisted&) -> std::string { return "its disk has it"; },
          [](const core::VrrpReported& e) {
            return absl::StrCat("hears VRRP ", core::Name(e.state));
          },
          [](const core::VrrpStarting&) -> std::string {
            return "hears that keepalived starts, standing aside";
          },
          [](const core::ComponentReported& e) {
            return absl::StrCat("hears ", e.component, ": ", e.problem);
          },
          [](const core::PeerConnected& e) {
            return absl::StrCat("is connected, peer's term ", e.term.value);
          },
          [](const core::PeerDisconnected& e) {
            return absl::StrCat("is disconnected: ", e.reason);
          },
          [](const core::PeerReported& e) {
            return absl::StrCat("hears peer: ", core::Name(e.state.role), " own term ",
                                e.state.own_term.value, " highest ", e.state.term.value);
          },
          [](const core::ConntrackReported& e) {
            return absl::StrCat("hears flows ",
                                e.state.synchronised ? "synchronised" : "not synchronised");
          },
          [](const core::RootsReported&) -> std::string { return ""; },
          [](const core::Merged&) -> std::string { return "hears merged"; },
          [](const core::Flushed& e) { return absl::StrCat("hears flushed ", e.operation.value); },
          [](const core::OperationAsked&) -> std::string { return ""; },
          [](const core::Configured&) -> std::string { return "hears its new configuration"; },
          [](const core::FactsReported&) -> std::string { return ""; },
          [](const core::HealthReported& e) {
            return absl::StrCat("hears of its health: ",
                                absl::StrJoin(core::Failing(e.checks), "; "));
          },
          [](const core::PeerAsked& e) { return absl::StrCat("is asked ", e.nonce); },
          [](const core::PeerAnswered& e) { return absl::StrCat("is answered ", e.nonce); },
          [](const core::NetworkSeen& e) { return absl::StrCat("sees ", core::Name(e.what)); },
          [](const core::PathProbed& e) {
            return absl::StrCat("hears path ", e.alive ? "alive" : "dead");
          },
      },
      event);
}

std::string Text(const core::Action& action) {
  return std::visit(
      Overloaded{
          [](const core::Persist& a) {
            return absl::StrCat("persists own term ", a.durable.own_term.value, " highest ",
                                a.durable.highest_term.value,
                                a.durable.maintenance ? " maintenance" : "");
          },
          [](const core::SetFault& a) { return absl::StrCat("sets fault \"", a.reason, "\""); },
          [](const core::SetStanding& a) {
            return absl::StrCat("sets standing ", static_cast<int>(a.standing));
          },
          [](const core::StartHeartbeat&) -> std::string { return "starts or adopts keepalived"; },
          [](const core::Announce&) -> std::string { return "announces"; },
          [](const core::AssumeRole& a) {
            return absl::StrCat("assumes ", core::Name(a.role), " term ", a.term.value,
                                a.merge ? ", merges" : "");
          },
          [](const core::Flush& a) { return absl::StrCat("flushes for ", a.operation.value); },
          [](const core::SendState&) -> std::string { return ""; },
          [](const core::Progressed& a) {
            return absl::StrCat("step of ", a.operation.value, ": ", a.what);
          },
          [](const core::Finished& a) {
            return absl::StrCat("end of ", a.operation.value, ": ", a.status.ToString());
          },
          [](const core::Publish&) -> std::string { return ""; },
          [](const core::LogDecision& a) {
            std::string text = absl::StrCat("decides: ", a.event);
            for (const auto& [key, value] : a.fields) absl::StrAppend(&text, " ", key, "=", value);
            return text;
          },
          [](const core::ReleaseCommands&) -> std::string { return "releases commands"; },
          [](const core::AskPeer& a) { return absl::StrCat("asks its peer ", a.nonce); },
          [](const core::AnswerPeer& a) { return absl::StrCat("answers its peer ", a.nonce); },
          [](const core::ProbePath&) -> std::string { return "probes the path"; },
      },
      action);
}

}  // namespace

void Trace::Add(int node, std::string what) {
  const absl::Duration since = pair_->clock().now() - Clock::kBegin;
  const std::string who = node < 0 ? "*" : absl::StrCat("node", node + 1);
  std::string line = absl::StrFormat("%10.4fs  %-5s  %s", absl::ToDoubleSeconds(since), who, what);
  if (keep_ == 0) {
    std::puts(line.c_str());
    return;
  }
  lines_.push_back(std::move(line));
  if (lines_.size() > keep_) lines_.pop_front();
}

void Trace::OnStarted(int node) { Add(node, "agent starts"); }
void Trace::OnDied(int node) { Add(node, "agent died"); }
void Trace::OnFault(absl::string_view what) { Add(-1, std::string(what)); }

void Trace::OnVrrp(int node, core::VrrpState state) {
  Add(node, absl::StrCat("VRRP is ", core::Name(state)));
}

void Trace::OnHeard(int node, const core::Event& event) {
  std::string text = Text(event);
  if (text.empty()) return;
  if (std::holds_alternative<core::PeerReported>(event)) {
    std::string& last = last_told_[static_cast<size_t>(node)];
    if (last == text) return;
    last = text;
  }
  Add(node, std::move(text));
}

void Trace::OnPerformed(int node, const core::Action& action) {
  std::string text = Text(action);
  if (!text.empty()) Add(node, std::move(text));
}

}  // namespace zcluster::sim
