// SPDX-License-Identifier: Apache-2.0
// zcluster-sim: runs the brain of both nodes through histories drawn by chance.
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/sim/coverage.h"
#include "tests/sim/run.h"
#include "tests/sim/shrink.h"
#include "tests/sim/trace.h"

namespace zcluster::sim {
namespace {

constexpr char kUsage[] =
    "usage: zcluster-sim --seeds N [--first S]   run N seeds, from S on (default 1)\n"
    "       zcluster-sim --seed S [--trace] [--without 3,7]\n"
    "                                            run one seed; with its whole history; some of\n"
    "                                            its faults left out\n"
    "Exit code: 0 all invariants held, 1 one was broken, 2 wrong usage.\n";

// What a seed is worth: less would find less.
constexpr uint64_t kLeastSteps = 300;
constexpr uint64_t kLeastFaults = 3;
constexpr absl::Duration kLeastTime = absl::Minutes(1);
// Only so many seeds are sure to bring about every decision.
constexpr uint64_t kSeedsForCoverage = 10000;

struct Arguments {
  uint64_t seeds = 0;
  uint64_t first = 1;
  bool trace = false;
  Without without;
};

std::optional<Arguments> Parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--trace") {
      arguments.trace = true;
      continue;
    }
    if (i + 1 == words.size()) return std::nullopt;
    const std::string& text = words[i + 1];
    if (words[i] == "--without") {
      for (const absl::string_view part : absl::StrSplit(text, ',')) {
        uint64_t fault = 0;
        if (!absl::SimpleAtoi(part, &fault)) return std::nullopt;
        arguments.without.insert(fault);
      }
      ++i;
      continue;
    }
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    if (words[i] == "--seeds") {
      arguments.seeds = value;
    } else if (words[i] == "--first") {
      arguments.first = value;
    } else if (words[i] == "--seed") {
      arguments.first = value;
      arguments.seeds = 1;
    } else {
      return std::nullopt;
    }
    ++i;
  }
  const bool one_only = arguments.trace || !arguments.without.empty();
  if (arguments.seeds == 0 || (one_only && arguments.seeds > 1)) return std::nullopt;
  return arguments;
}

// The sentence without its numbers: the same invariant, though of another node at another time.
std::string Kind(std::string broken) {
  std::erase_if(broken, [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
  return broken;
}

void PrintFailure(uint64_t seed, const std::string& broken, uint64_t picks) {
  Coverage coverage;
  const Without without = Shrink(picks, [&](const Without& less) {
    return Kind(Run(seed, coverage, nullptr, less).broken) == Kind(broken);
  });
  // A seed is a whole history: run it again, this time with the last lines kept.
  Trace trace(/*lines=*/60);
  const Outcome shrunk = Run(seed, coverage, &trace, without);
  std::printf("seed %llu: %s\nlast events:\n", static_cast<unsigned long long>(seed),
              broken.c_str());
  if (!without.empty()) {
    std::printf("(with %llu of its %llu faults left out: %s)\n",
                static_cast<unsigned long long>(without.size()),
                static_cast<unsigned long long>(picks), shrunk.broken.c_str());
  }
  for (const std::string& line : trace.lines()) std::printf("  %s\n", line.c_str());
  std::printf(
      "replay: zcluster-sim --seed %llu --trace%s\n", static_cast<unsigned long long>(seed),
      without.empty() ? "" : absl::StrCat(" --without ", absl::StrJoin(without, ",")).c_str());
}

int Main(const Arguments& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  Coverage coverage;
  Trace live(/*lines=*/0);
  uint64_t faults = 0;
  absl::Duration simulated;
  for (uint64_t seed = arguments.first; seed < arguments.first + arguments.seeds; ++seed) {
    const Outcome outcome =
        Run(seed, coverage, arguments.trace ? &live : nullptr, arguments.without);
    std::string broken = outcome.broken;
    if (broken.empty() && arguments.without.empty() &&
        (outcome.steps < kLeastSteps || outcome.faults < kLeastFaults ||
         outcome.simulated < kLeastTime)) {
      broken = absl::StrCat("the seed is too poor: ", outcome.steps, " steps, ", outcome.faults,
                            " faults, ", absl::FormatDuration(outcome.simulated));
    }
    if (!broken.empty()) {
      if (arguments.trace) {
        std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), broken.c_str());
      } else {
        PrintFailure(seed, broken, outcome.picks);
      }
      return 1;
    }
    faults += outcome.faults;
    simulated += outcome.simulated;
  }
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf(
      "%llu seeds: %llu steps, %llu faults, %.0f hours simulated, in %.1f s (%.0f seeds/s)\n",
      static_cast<unsigned long long>(arguments.seeds),
      static_cast<unsigned long long>(coverage.steps()), static_cast<unsigned long long>(faults),
      absl::ToDoubleHours(simulated), took, static_cast<double>(arguments.seeds) / took);
  std::printf("covered:\n");
  for (const auto& [what, count] : coverage.count()) {
    std::printf("  %10llu  %s\n", static_cast<unsigned long long>(count), what.c_str());
  }
  const std::vector<std::string> missing = coverage.Missing();
  if (arguments.seeds < kSeedsForCoverage || missing.empty()) return 0;
  std::printf("never seen: %s\n", absl::StrJoin(missing, "; ").c_str());
  return 1;
}

}  // namespace
}  // namespace zcluster::sim

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 1 && words[0] == "--help") {
    std::fputs(zcluster::sim::kUsage, stdout);
    return 0;
  }
  const auto arguments = zcluster::sim::Parse(words);
  if (!arguments) {
    std::fputs(zcluster::sim::kUsage, stderr);
    return 2;
  }
  return zcluster::sim::Main(*arguments);
}
