// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/comparison.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

// A flow of the master's in a bucket that differs.
struct Told {
  FlowKey key;
  Imprint::Word word;
  bool met = false;  // the backup has one of that key
};

bool Less(const FlowKey& a, const FlowKey& b) { return std::memcmp(&a, &b, sizeof a) < 0; }

// The flows of these buckets, each once, ordered by their keys.
absl::StatusOr<std::vector<Told>> ReadAll(Table& table, const BucketSet& buckets, uint64_t about) {
  Imprint imprint;
  std::vector<Told> all;
  all.reserve(about + about / 16);
  ZC_RETURN_IF_ERROR(table.Read(buckets, [&](absl::Span<const Flow> part) {
    for (const Flow& flow : part) all.push_back({flow.key, imprint.Of(flow)});
  }));
  std::sort(all.begin(), all.end(),
            [](const Told& a, const Told& b) { return Less(a.key, b.key); });
  // What was told twice had moved in the kernel meanwhile.
  all.erase(std::unique(all.begin(), all.end(),
                        [](const Told& a, const Told& b) { return a.key == b.key; }),
            all.end());
  return all;
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
  Say("reading the master's table");
  ZC_RETURN_IF_ERROR(master_.Sum(master));
  Say("reading the backup's table");
  ZC_RETURN_IF_ERROR(standby_.Sum(standby));
  compared_.master = master.counts;
  compared_.standby = standby.counts;
  buckets = master.buckets.Differing(standby.buckets);
  flows_ = master.buckets.Flows(buckets);
  return absl::OkStatus();
}

absl::Status Comparison::FindSuspects(const BucketSet& buckets) {
  Say(absl::StrCat("comparing the flows of ", buckets.count(), " of ", kBuckets, " buckets"));
  ZC_ASSIGN_OR_RETURN(std::vector<Told> told, ReadAll(master_, buckets, flows_));
  ZC_RETURN_IF_ERROR(standby_.Read(buckets, [&](absl::Span<const Flow> part) {
    for (const Flow& flow : part) {
      const auto at =
          std::lower_bound(told.begin(), told.end(), flow.key,
                           [](const Told& a, const FlowKey& key) { return Less(a.key, key); });
      const bool there = at != told.end() && at->key == flow.key;
      if (!there || at->word != imprint_.Of(flow)) Add(flow.key);
      if (there) at->met = true;
    }
  }));
  for (const Told& flow : told) {
    if (!flow.met) Add(flow.key);
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
