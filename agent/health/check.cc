// SPDX-License-Identifier: Apache-2.0
#include "agent/health/check.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace zcluster::health {
namespace {

// It goes to the peer, into logs and onto terminals; a program may print anything.
std::string InAscii(absl::string_view text) {
  std::string result;
  for (const char c : text.substr(0, kMaxEvidence)) {
    const auto byte = static_cast<unsigned char>(c);
    result.push_back(absl::ascii_isprint(byte) ? c : byte == '\t' ? ' ' : '?');
  }
  return result;
}

}  // namespace

std::string LastLine(absl::string_view printed) {
  printed = absl::StripAsciiWhitespace(printed);
  const size_t line_break = printed.find_last_of("\r\n");
  if (line_break != absl::string_view::npos) printed.remove_prefix(line_break + 1);
  return InAscii(absl::StripAsciiWhitespace(printed));
}

Check::Check(Loop& loop, std::string node, std::function<void()> changed)
    : loop_(loop), node_(std::move(node)), changed_(std::move(changed)) {}

void Check::Run(const absl::optional<CheckOptions>& options,
                const std::vector<std::string>& programs) {
  if (options_ == options && programs_ == programs) return;
  Stop();
  options_ = options;
  programs_ = programs;
  if (!options_) return;
  verdict_ = Verdict(options_->rise, options_->fall);
  // Not within this call: a program that cannot be started is a result.
  next_ = loop_.After(absl::ZeroDuration(), [this] { Begin(); });
}

void Check::Stop() {
  next_.reset();
  overdue_.reset();
  run_.reset();
}

void Check::Next() {
  const absl::Duration left = began_ + options_->interval - Loop::Now();
  next_ = loop_.After(std::max(left, absl::ZeroDuration()), [this] { Begin(); });
}

void Check::Overdue() {
  // No other begins meanwhile: it would not end either.
  overdue_ = loop_.After(options_->interval, [this] { Overdue(); });
  Add(false, "did not end when it was killed");
}

void Check::Begin() {
  began_ = Loop::Now();
  const std::string& program = options_->command[0];
  if (std::find(programs_.begin(), programs_.end(), program) == programs_.end()) {
    Next();
    return Add(false, absl::StrCat(program, " is not among the programs that ", node_,
                                   " allows: whoever administers it can add it to `programs` in "
                                   "its agent.yaml"));
  }
  printed_.clear();
  auto run = Process::Start(
      loop_, options_->command,
      {.timeout = options_->timeout,
       .grace = absl::ZeroDuration(),
       .output = std::numeric_limits<size_t>::max(),
       .leaves_nothing = true},
      [this](Process::Output, absl::string_view bytes) {
        printed_.append(bytes.data(), bytes.size());
        if (printed_.size() > kMaxPrinted) printed_.erase(0, printed_.size() - kMaxPrinted);
      },
      [this](const ProcessEnd& end) { Ended(end); });
  if (!run.ok()) {
    Next();
    return Add(false, std::string(run.status().message()));
  }
  run_ = *std::move(run);
  overdue_ = loop_.After(options_->timeout + kKilledWithin, [this] { Overdue(); });
}

void Check::Ended(const ProcessEnd& end) {
  run_.reset();
  overdue_.reset();
  Next();
  if (end.problem.empty() && end.exit_code == 0) return Add(true, "exit code 0");
  const std::string how =
      end.problem.empty() ? absl::StrCat("exit code ", end.exit_code) : end.problem;
  const std::string said = LastLine(printed_);
  Add(false, said.empty() ? how : absl::StrCat(how, ": ", said));
}

void Check::Add(bool passes, const std::string& evidence) {
  if (verdict_.Add(passes, evidence)) changed_();
}

absl::optional<core::HealthCheck> Check::Result() const {
  if (!options_ || !verdict_.known()) return absl::nullopt;
  // The other node's runs may begin an interval later, and take their timeout to fail.
  return core::HealthCheck{"check", verdict_.passes(), verdict_.evidence(),
                           options_->interval + options_->timeout};
}

}  // namespace zcluster::health
