// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/keep_aside.h"

#include <fcntl.h>

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/file.h"
#include "common/kept_files.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

// What is lost by it: files and links, as they are held.
std::vector<const Entry*> Lost(const Manifest& held, const Manifest& wanted, const Plan& plan) {
  std::vector<const Entry*> lost;
  for (const size_t i : plan.renames) {
    const Entry* old = held.Find(wanted.entries[i].path);
    if (old != nullptr && old->type != EntryType::kDirectory) lost.push_back(old);
  }
  for (const std::vector<size_t>* part : {&plan.in_the_way, &plan.gone}) {
    for (const size_t i : *part) {
      if (held.entries[i].type != EntryType::kDirectory) lost.push_back(&held.entries[i]);
    }
  }
  return lost;
}

// A root that is a file has the empty path.
std::string NameOf(const std::string& root, const Entry& entry) {
  return entry.path.empty() ? root.substr(root.rfind('/') + 1) : entry.path;
}

}  // namespace

std::string Agreed::PathOf(const std::string& root) const {
  Hasher hasher;
  hasher.AddText(root);
  return absl::StrCat(directory_, "/", hasher.Finish().Hex());
}

absl::optional<std::string> Agreed::Known(const std::string& root) {
  if (directory_.empty()) return absl::nullopt;
  if (const auto known = known_.find(root); known != known_.end()) return known->second;
  const absl::StatusOr<std::string> text = ReadFile(PathOf(root), /*limit=*/256);
  if (!text.ok()) return absl::nullopt;
  return known_[root] = std::string(absl::StripAsciiWhitespace(*text));
}

void Agreed::Set(const std::string& root, const Digest& digest) {
  if (directory_.empty() || Known(root) == digest.Hex()) return;
  absl::Status written = MakeDirectories(directory_, 0700);
  // A crash that loses it costs a set of files that nobody misses.
  written.Update(WriteFileAtomically(PathOf(root), digest.Hex() + "\n", 0600));
  if (!written.ok())
    log::Warning("config_agreement_lost", {{"problem", std::string(written.message())}});
  known_[root] = digest.Hex();
}

bool Agreed::Changed(const std::string& root, const Digest& held) {
  const absl::optional<std::string> known = Known(root);
  return known && *known != held.Hex();
}

absl::Status KeepAside(const std::string& directory, const std::string& root, uint64_t term,
                       const Tree& tree, const Manifest& held, const Manifest& wanted,
                       const Plan& plan) {
  const std::vector<const Entry*> lost = Lost(held, wanted, plan);
  if (lost.empty()) return absl::OkStatus();
  ZC_ASSIGN_OR_RETURN(const auto maker, kept::Maker::Begin(directory, root, term));
  for (const Entry* entry : lost) {
    const std::string name = NameOf(root, *entry);
    if (entry->type == EntryType::kSymlink) {
      ZC_RETURN_IF_ERROR(maker->AddSymlink(name, entry->target));
      continue;
    }
    ZC_ASSIGN_OR_RETURN(UniqueFd from, tree.OpenAt(entry->path, O_RDONLY | O_NONBLOCK));
    ZC_RETURN_IF_ERROR(maker->AddFile(name, std::move(from)));
  }
  ZC_ASSIGN_OR_RETURN(const std::string id, maker->Finish(absl::Now()));
  log::Warning("config_kept_aside", {{"root", root},
                                     {"files", absl::StrCat(lost.size())},
                                     {"where", absl::StrCat(directory, "/", id)}});
  return absl::OkStatus();
}

}  // namespace zcluster::configsync
