// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/fleet/roster.h"

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "common/file.h"
#include "common/loop.h"
#include "common/status.h"
#include "tests/bench/fleet/operators.h"

namespace zcluster::fleet_bench {
namespace {

// Enough to keep both sides busy; a controller takes 64 calls at a time.
constexpr int kAtOnce = 16;

std::string FileOf(const std::string& directory, size_t number) {
  return absl::StrCat(directory, "/", PairOf(number), "-", NodeOf(number));
}

// Not durable: a benchmark that is cut off begins anew.
absl::Status Save(const std::string& directory, size_t number, const test::FleetIdentity& agent) {
  const std::string file = FileOf(directory, number);
  ZC_RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(directory, "/fleet"), agent.fleet, 0600));
  ZC_RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(directory, "/ca.crt"), agent.ca, 0600));
  ZC_RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(file, ".crt"), agent.certificate, 0600));
  return WriteFileAtomically(absl::StrCat(file, ".key"), agent.key, 0600);
}

// One of several who work through the pairs.
class Clerk {
 public:
  Clerk(std::string directory, Door door)
      : directory_(std::move(directory)), door_(std::move(door)), operator_(door_.socket) {}

  absl::Status EnrolPair(size_t first) {
    ZC_ASSIGN_OR_RETURN(const auto authority, test::PairAuthority::Make(PairOf(first)));
    for (const size_t number : {first, first + 1}) {
      ZC_ASSIGN_OR_RETURN(const auto member, authority.Certify(NodeOf(number)));
      const absl::Time begin = Loop::Now();
      ZC_ASSIGN_OR_RETURN(const std::string token, operator_.MakeToken(PairOf(number)));
      ZC_ASSIGN_OR_RETURN(
          const test::FleetIdentity agent,
          test::Enrol({.address = door_.enrolment, .token = token, .member = member}));
      times_.push_back(Loop::Now() - begin);
      ZC_RETURN_IF_ERROR(Save(directory_, number, agent));
    }
    return absl::OkStatus();
  }
  const std::vector<absl::Duration>& times() const { return times_; }

 private:
  const std::string directory_;
  const Door door_;
  Operator operator_;
  std::vector<absl::Duration> times_;
};

}  // namespace

std::string PairOf(size_t number) { return absl::StrFormat("pair-%05d", number / 2); }
std::string NodeOf(size_t number) { return number % 2 == 0 ? "lb1" : "lb2"; }

absl::StatusOr<Enrolled> Complete(const std::string& directory, size_t count, const Door& door) {
  ZC_RETURN_IF_ERROR(MakeDirectories(directory, 0700));
  size_t have = 0;
  while (have < count && ReadFile(absl::StrCat(FileOf(directory, have + 1), ".key")).ok())
    have += 2;

  absl::Mutex mutex;
  absl::Status failure;
  Enrolled result;
  std::atomic<size_t> next{have};
  std::atomic<bool> failed{false};
  const absl::Time begin = Loop::Now();
  std::vector<std::thread> threads;
  for (int i = 0; i < kAtOnce; ++i) {
    threads.emplace_back([&] {
      Clerk clerk(directory, door);
      absl::Status status;
      for (size_t first; status.ok() && !failed && (first = next.fetch_add(2)) < count;) {
        status = clerk.EnrolPair(first);
      }
      absl::MutexLock lock(&mutex);
      if (!status.ok()) {
        failed = true;
        failure = status;
      }
      result.one_agent.insert(result.one_agent.end(), clerk.times().begin(), clerk.times().end());
    });
  }
  for (std::thread& thread : threads) thread.join();
  ZC_RETURN_IF_ERROR(failure);
  result.agents = count - have;
  result.all = Loop::Now() - begin;
  return result;
}

absl::StatusOr<std::vector<test::FleetIdentity>> Load(const std::string& directory, size_t count) {
  ZC_ASSIGN_OR_RETURN(const std::string fleet, ReadFile(absl::StrCat(directory, "/fleet")));
  ZC_ASSIGN_OR_RETURN(const std::string ca, ReadFile(absl::StrCat(directory, "/ca.crt")));
  std::vector<test::FleetIdentity> agents;
  for (size_t i = 0; i < count; ++i) {
    test::FleetIdentity agent;
    agent.fleet = fleet;
    agent.pair = PairOf(i);
    agent.node = NodeOf(i);
    agent.ca = ca;
    ZC_ASSIGN_OR_RETURN(agent.certificate, ReadFile(absl::StrCat(FileOf(directory, i), ".crt")));
    ZC_ASSIGN_OR_RETURN(agent.key, ReadFile(absl::StrCat(FileOf(directory, i), ".key")));
    agents.push_back(std::move(agent));
  }
  return agents;
}

}  // namespace zcluster::fleet_bench
