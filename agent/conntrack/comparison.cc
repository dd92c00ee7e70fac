// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/comparison.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

// A flow in a bucket that differs.
struct Told {
  FlowKey key;
  Imprint::Word word;
};

// What a peer says that it has is not taken at its word.
constexpr uint64_t kMostReserved = 1 << 20;

bool Less(const FlowKey& a, const FlowKey& b) { return std::memcmp(&a, &b, sizeof a) < 0; }

// The flows of these buckets, each once, ordered by their keys.
// `about` so many; more than `most` are refused, whoever tells them.
absl::Status ReadAll(Table& table, const BucketSet& buckets, uint64_t about, size_t most,
                     std::vector<Told>& all) {
  Imprint imprint;
  bool too_many = false;
  all.reserve(std::min(about, kMostReserved));
  ZC_RETURN_IF_ERROR(table.Read(buckets, [&](absl::Span<const Flow> part) {
    too_many = too_many || all.size() + part.size() > most;
    if (too_many) return;
    for (const Flow& flow : part) all.push_back({flow.key, imprint.Of(flow)});
  }));
  if (too_many) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", most, " flows differ or move, too many to compare one by one"));
  }
  std::sort(all.begin(), all.end(),
            [](const Told& a, const Told& b) { return Less(a.key, b.key); });
  // What was told twice had moved in the kernel meanwhile.
  all.erase(std::unique(all.begin(), all.end(),
                        [](const Told& a, const Told& b) { return a.key == b.key; }),
            all.end());
  return absl::OkStatus();
}

// Does both at the same time: each node has processors of its own. The first one's error, if both
// fail.
absl::Status Both(absl::FunctionRef<absl::Status()> here, absl::FunctionRef<absl::Status()> there) {
  absl::Status result_there;
  std::thread thread([&] { result_there = there(); });
  absl::Status result = here();
  thread.join();
  result.Update(result_there);
  return result;
}

// A number for what is, or is not, under a key; never 0.
uint64_t FormOf(Imprint& imprint, const std::optional<Flow>& flow) {
  if (!flow) return 1;
  const std::string& bytes = imprint.Bytes(*flow);
  return XXH3_64bits(bytes.data(), bytes.size()) | 2;
}

bool Same(Imprint& imprint, const std::optional<Flow>& a, const std::optional<Flow>& b) {
  if (!a || !b) return !a && !b;
  const std::string bytes = imprint.Bytes(*a);
  return bytes == imprint.Bytes(*b);
}

}  // namespace

absl::StatusOr<Compared> Comparison::Run() {
  BucketSet buckets;
  ZC_RETURN_IF_ERROR(Sum(buckets));
  compared_.buckets = static_cast<uint32_t>(buckets.count());
  if (buckets.any()) {
    ZC_RETURN_IF_ERROR(FindSuspects(buckets));
    ZC_RETURN_IF_ERROR(LookAgain());
  }
  return std::move(compared_);
}

void Comparison::Say(std::string step) const {
  if (options_.progress) options_.progress(std::move(step));
}

absl::Status Comparison::Sum(BucketSet& buckets) {
  Table::Sums master, standby;
  Say("reading both tables");
  ZC_RETURN_IF_ERROR(
      Both([&] { return master_.Sum(master); }, [&] { return standby_.Sum(standby); }));
  compared_.master = master.counts;
  compared_.standby = standby.counts;
  buckets = master.buckets.Differing(standby.buckets);
  flows_ = std::max(master.buckets.Flows(buckets), standby.buckets.Flows(buckets));
  return absl::OkStatus();
}

absl::Status Comparison::FindSuspects(const BucketSet& buckets) {
  Say(absl::StrCat("comparing the flows of ", buckets.count(), " of ", kBuckets, " buckets"));
  std::vector<Told> master, standby;
  ZC_RETURN_IF_ERROR(
      Both([&] { return ReadAll(master_, buckets, flows_, options_.most_flows, master); },
           [&] { return ReadAll(standby_, buckets, flows_, options_.most_flows, standby); }));
  // Both are in the same order: what is in one alone, or another in each, is suspect.
  auto a = master.begin(), b = standby.begin();
  while (a != master.end() || b != standby.end()) {
    if (b == standby.end() || (a != master.end() && Less(a->key, b->key))) {
      Add((a++)->key);
    } else if (a == master.end() || Less(b->key, a->key)) {
      Add((b++)->key);
    } else {
      if (a->word != b->word) Add(a->key);
      ++a, ++b;
    }
  }
  return absl::OkStatus();
}

void Comparison::Add(const FlowKey& key) {
  if (suspects_.size() < kMaxSuspects) {
    suspects_.push_back({key});
  } else {
    ++compared_.unexamined;
  }
}

absl::Status Comparison::LookAgain() {
  std::vector<Suspect> left;
  const uint64_t suspects = suspects_.size();
  for (int look = 0; look < kMaxLooks && !suspects_.empty(); ++look) {
    if (look > 0) ZC_RETURN_IF_ERROR(options_.settle());
    Say(absl::StrCat("looking again at ", suspects_.size(), " flows"));
    left.clear();
    for (size_t at = 0; at < suspects_.size(); at += Table::kMaxPart) {
      ZC_RETURN_IF_ERROR(LookAt(absl::MakeConstSpan(suspects_).subspan(at, Table::kMaxPart), left));
    }
    suspects_.swap(left);
  }
  compared_.in_motion = suspects - compared_.differing;
  return absl::OkStatus();
}

absl::Status Comparison::LookAt(absl::Span<const Suspect> suspects, std::vector<Suspect>& left) {
  std::vector<FlowKey> keys;
  for (const Suspect& suspect : suspects) keys.push_back(suspect.key);
  ZC_ASSIGN_OR_RETURN(const Table::Found master, master_.Look(keys));
  ZC_ASSIGN_OR_RETURN(const Table::Found standby, standby_.Look(keys));
  for (size_t i = 0; i < keys.size(); ++i) {
    if (Same(imprint_, master[i], standby[i])) continue;
    const Suspect now = {keys[i], FormOf(imprint_, master[i]), FormOf(imprint_, standby[i])};
    if (now.master != suspects[i].master || now.standby != suspects[i].standby) {
      left.push_back(now);
      continue;
    }
    ++compared_.differing;
    if (compared_.differences.size() < options_.shown)
      compared_.differences.push_back({master[i], standby[i]});
  }
  return absl::OkStatus();
}

}  // namespace zcluster::conntrack
