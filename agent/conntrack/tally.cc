// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/tally.h"

#include "agent/conntrack/own_table.h"

namespace zcluster::conntrack {
namespace {

// Of so many parts of the time, one at most.
constexpr int kShare = 100;

void Add(FlowClass what, core::FlowClasses& classes) {
  switch (what) {
    case FlowClass::kForwarded:
      ++classes.forwarded;
      break;
    case FlowClass::kTranslated:
      ++classes.translated;
      break;
    case FlowClass::kEndsOnMaster:
    case FlowClass::kEndsOnStandby:
      ++classes.local;
      break;
    case FlowClass::kOwn:
      ++classes.own;
      break;
    case FlowClass::kFiltered:
      ++classes.filtered;
      break;
  }
}

}  // namespace

void Tally::Start(absl::Duration every) {
  if (tick_ != nullptr) return;
  tick_ = loop_.Every(every, [this] { Count(); });
}

void Tally::Stop() {
  tick_.reset();
  jobs_.Stop();
}

void Tally::Count() {
  if (Loop::Now() < not_before_) return;
  const absl::StatusOr<Scope> scope = alone_();
  if (!scope.ok()) return;
  // One that still runs is not overtaken.
  jobs_.Start([this, mail = mail_, scope = *scope](Halt& halt) {
    const absl::Time begun = Loop::Now();
    core::FlowClasses classes;
    classes.known = true;
    const absl::Status walked = WalkTable(halt, [&](absl::Span<const Flow> part) {
      for (const Flow& flow : part) Add(scope.ClassOf(flow), classes);
      return true;
    });
    if (!walked.ok()) return;
    mail->Post([this, classes, took = Loop::Now() - begun] {
      classes_ = classes;
      not_before_ = Loop::Now() + kShare * took;
    });
  });
}

}  // namespace zcluster::conntrack
