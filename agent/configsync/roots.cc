// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/roots.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

// A root that never comes to rest is sent as it is, this long after its first change.
constexpr absl::Duration kLongestSettling = absl::Milliseconds(250);
// A root that cannot be watched as a whole is read so often.
constexpr absl::Duration kPollInterval = absl::Seconds(10);

}  // namespace

Roots::Roots(Loop& work, std::vector<Root> roots, absl::Duration settle,
             std::function<void(size_t)> scanned)
    : work_(work), settle_(settle), scanned_(std::move(scanned)), held_(roots.size()) {
  for (size_t i = 0; i < roots.size(); ++i) held_[i].held.root = std::move(roots[i]);
}

absl::Status Roots::Open() {
  ZC_ASSIGN_OR_RETURN(watch_, Watch::Open());
  return absl::OkStatus();
}

void Roots::Start() {
  readable_ = work_.WatchReadable(watch_->fd(), [this] { TakeChanges(); });
  poll_ = work_.Every(kPollInterval, [this] {
    for (size_t i = 0; i < size(); ++i) {
      if (held_[i].watch_incomplete) ScanAndTell(i);
    }
  });
  for (size_t i = 0; i < size(); ++i) ScanAndTell(i);
}

void Roots::TakeDigests(Roots& last) {
  for (Watched& watched : held_) {
    const size_t before = last.IndexOf(watched.held.root.path);
    if (before < last.size()) watched.cache = std::move(last.held_[before].cache);
  }
}

void Roots::Stop() {
  readable_.reset();
  poll_.reset();
  for (Watched& watched : held_) watched.settling.reset();
}

size_t Roots::IndexOf(const std::string& path) const {
  auto found = std::find_if(held_.begin(), held_.end(),
                            [&](const Watched& w) { return w.held.root.path == path; });
  return static_cast<size_t>(found - held_.begin());
}

const HeldRoot& Roots::Rescan(size_t root) {
  ScanNow(root);
  return held_[root].held;
}

void Roots::TakeChanges() {
  const Watch::Changes changes = watch_->Read();
  if (changes.overflow) log::Warning("config_watch_overflowed", {{"action", "rescan"}});
  for (size_t i = 0; i < size(); ++i) {
    if (changes.overflow || changes.roots.contains(i)) Changed(i);
  }
}

void Roots::Changed(size_t root) {
  Watched& watched = held_[root];
  const absl::Time now = Loop::Now();
  watched.settle_by = std::min(watched.settle_by, now + kLongestSettling);
  const absl::Duration wait = std::min(settle_, watched.settle_by - now);
  watched.settling = work_.After(wait, [this, root] { ScanAndTell(root); });
}

void Roots::ScanAndTell(size_t root) {
  ScanNow(root);
  scanned_(root);
}

void Roots::ScanNow(size_t root) {
  Watched& watched = held_[root];
  watched.settling.reset();
  watched.settle_by = absl::InfiniteFuture();
  watch_->BeginPass(root);
  WatchName(root);
  absl::Status unwatched;
  auto scan = ScanRoot(watched.held.root, watched.cache, [&](int fd) {
    const absl::Status status = watch_->Add(root, fd);
    if (unwatched.ok()) unwatched = status;
  });
  watch_->EndPass(root);
  watched.watch_incomplete = !unwatched.ok() || !scan.ok();
  ++watched.held.scan;
  watched.held.readable = scan.ok();
  if (!scan.ok()) {
    watched.held.problem = std::string(scan.status().message());
    if (watched.held.manifest == nullptr) {
      watched.held.manifest = std::make_shared<const Manifest>();
    }
    return;
  }
  watched.held.problem = scan->problem;
  if (watched.held.problem.empty()) watched.held.problem = std::string(unwatched.message());
  watched.held.digest = scan->manifest.RootDigest();
  watched.held.manifest = std::make_shared<const Manifest>(std::move(scan->manifest));
  if (scan->changing) Changed(root);
}

// The directory that holds the root, or the nearest one above it that exists.
void Roots::WatchName(size_t root) {
  std::string path = held_[root].held.root.path;
  while (!path.empty()) {
    const std::string name = path.substr(path.rfind('/') + 1);
    path = std::string(ParentOf(path));
    if (watch_->AddName(root, absl::StrCat(path, "/"), name).ok()) return;
  }
}

}  // namespace zcluster::configsync
