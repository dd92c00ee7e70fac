// SPDX-License-Identifier: Apache-2.0
#include "agent/console/console.h"

#include <utility>
#include <variant>

namespace zcluster::console {
namespace {

// By how much a member's own count has grown. Each member counts from 0.
uint64_t Grown(uint64_t before, uint64_t now) { return now >= before ? now - before : now; }

}  // namespace

Console::Console(std::string node_name) : node_name_(std::move(node_name)) { ShowNoPair(); }

void Console::ShowMember(Member member) {
  const bool same = now_.member && now_.member->pair == member.pair;
  if (!same) {
    now_.view = {};
    now_.view.not_ready = {"the node is starting"};
    has_view_ = false;
    reported_ = {};
  }
  now_.member = std::move(member);
  Leave();
}

void Console::ShowView(const core::View& view) {
  if (!now_.member) return;
  // The first view is what the node was before this agent: no promotion of now.
  if (has_view_ && view.own_term > now_.view.own_term) ++now_.promotions;
  const bool was_master = now_.view.local.role == core::Role::kMaster;
  if (was_master && view.local.role != core::Role::kMaster) ++now_.demotions;
  const core::ConntrackState& flows = view.conntrack;
  now_.conntrack.changes += Grown(reported_.changes, flows.changes);
  now_.conntrack.snapshots += Grown(reported_.snapshots, flows.snapshots);
  now_.conntrack.overruns += Grown(reported_.overruns, flows.overruns);
  now_.conntrack.refused += Grown(reported_.refused, flows.refused);
  now_.conntrack.verifications += Grown(reported_.verifications, flows.verifications);
  now_.conntrack.differing += Grown(reported_.differing, flows.differing);
  now_.conntrack.repairs += Grown(reported_.repairs, flows.repairs);
  reported_ = {flows.changes,       flows.snapshots, flows.overruns, flows.refused,
               flows.verifications, flows.differing, flows.repairs};
  now_.view = view;
  has_view_ = true;
  Leave();
}

void Console::ShowNoPair() {
  now_.node = node_name_;
  now_.member.reset();
  now_.view = {};
  has_view_ = false;
  reported_ = {};
  Leave();
}

void Console::Leave() {
  auto next = std::make_shared<const Snapshot>(now_);
  absl::MutexLock lock(&mutex_);
  // The old one is freed after the lock, or by whoever still reads it.
  latest_.swap(next);
}

std::shared_ptr<const Snapshot> Console::Latest() const {
  absl::MutexLock lock(&mutex_);
  return latest_;
}

http_console::Content Console::content() {
  return {.measure = [this](http_console::Metrics& metrics) { Measure(*Latest(), metrics); },
          .problems = [this] { return Problems(*Latest()); }};
}

MemberConsole::MemberConsole(Console& console, Member member)
    : console_(console), member_(std::move(member)) {}

absl::Status MemberConsole::Start(EventSink&) {
  console_.ShowMember(member_);
  return absl::OkStatus();
}

void MemberConsole::Perform(const core::Action& action) {
  if (const auto* publish = std::get_if<core::Publish>(&action)) console_.ShowView(publish->view);
}

void MemberConsole::Stop() { console_.ShowNoPair(); }

void MemberConsole::Reconfigure(Member member) {
  member_ = std::move(member);
  console_.ShowMember(member_);
}

}  // namespace zcluster::console
