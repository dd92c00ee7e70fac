// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/fault.h"

#include <time.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "common/file.h"
#include "common/status.h"

namespace zcluster::heartbeat {
namespace {

// What tells one boot from another: times of an older one mean nothing in this.
constexpr char kBootId[] = "/proc/sys/kernel/random/boot_id";
constexpr char kLasting[] = "lasting";
constexpr char kGate[] = "gate";

// As /proc/uptime has it, which is all that a shell can read.
absl::Duration SinceBoot() {
  timespec now = {};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

// In whole seconds, no sooner than asked for.
int64_t RoundedUp(absl::Duration since_boot) {
  return absl::ToInt64Seconds(absl::Ceil(since_boot, absl::Seconds(1)));
}

std::string Quoted(const std::string& path) {
  std::string quoted = "'";
  for (const char c : path) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace

Fault::Fault(const Options& options) : options_(options), file_(options.FaultPath()) {}

absl::Status Fault::Prepare() {
  ZC_RETURN_IF_ERROR(WriteFileAtomically(options_.LeaseScriptPath(), LeaseScript(options_), 0700));
  return file_.EnsureExists();
}

absl::Status Fault::Set(absl::Duration lease, bool gate) {
  set_ = known_ = true;
  std::string words = absl::StrCat(kLasting, "\n");
  ends_ = absl::InfiniteDuration();
  if (lease != absl::InfiniteDuration()) {
    ends_ = SinceBoot() + lease;
    ZC_ASSIGN_OR_RETURN(const std::string boot, ReadFile(kBootId));
    words = absl::StrCat(absl::StripAsciiWhitespace(boot), " ", RoundedUp(ends_),
                         gate ? absl::StrCat(" ", kGate) : "", "\n");
  }
  // The lease first: a fault without one is over at once.
  ZC_RETURN_IF_ERROR(WriteFileAtomically(options_.LeasePath(), words, 0600));
  return file_.Write(1);
}

absl::Status Fault::Lift() {
  set_ = false;
  known_ = true;
  return file_.Write(0);
}

std::vector<std::string> Fault::Lease() const {
  const absl::StatusOr<std::string> text = ReadFile(options_.LeasePath(), /*max=*/256);
  if (!text.ok() || !IsSet()) return {};
  return absl::StrSplit(*text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

absl::Duration Fault::GateLeft() const {
  const std::vector<std::string> words = Lease();
  int64_t until = 0;
  if (words.size() != 3 || words[2] != kGate || !absl::SimpleAtoi(words[1], &until))
    return absl::ZeroDuration();
  const absl::StatusOr<std::string> boot = ReadFile(kBootId);
  if (!boot.ok() || absl::StripAsciiWhitespace(*boot) != words[0]) return absl::ZeroDuration();
  return std::max(absl::Seconds(until) - SinceBoot(), absl::ZeroDuration());
}

bool Fault::FoundLasting() const {
  const std::vector<std::string> words = Lease();
  return !words.empty() && words[0] == kLasting;
}

absl::Status Fault::Mend() {
  if (!known_ || IsSet() == set_) return absl::OkStatus();
  if (set_ && SinceBoot() >= ends_) return absl::OkStatus();
  return file_.Write(set_ ? 1 : 0);
}

// A lease that the agent renews this very moment: either the script reads the new one, or it writes
// into a file that has been replaced meanwhile, or, between its last look and its write, takes the
// new fault away. That last one is mended by the agent within a second; such a moment comes only
// where an agent lets its lease run out and then wakes.
std::string LeaseScript(const Options& options) {
  constexpr char kScript[] = R"(#!/bin/sh
# Written by zagent; changes made here are lost. keepalived runs it each second, also when no agent
# lives: ends a FAULT whose lease is over, lest nobody serves. One without a lease is over, and so is
# one of another boot.
fault=
[ -r $0 ] && read -r fault <$0
[ "$${fault:-0}" = 0 ] && exit 0
boot=
until=
[ -r $1 ] && read -r boot until rest <$1
[ "$$boot" = $2 ] && exit 0
read -r this_boot <$3
read -r now rest </proc/uptime
[ "$$boot" = "$$this_boot" ] && [ "$${now%%.*}" -lt "$${until:-0}" ] 2>/dev/null && exit 0
echo 0 >$0
exit 0
)";
  return absl::Substitute(kScript, Quoted(options.FaultPath()), Quoted(options.LeasePath()),
                          kLasting, kBootId);
}

}  // namespace zcluster::heartbeat
