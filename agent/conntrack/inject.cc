// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/inject.h"

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <pthread.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::conntrack {

absl::StatusOr<std::unique_ptr<Injector>> Injector::Start(Filter filter) {
  ZC_ASSIGN_OR_RETURN(KernelWriter writer, KernelWriter::Open());
  std::unique_ptr<Injector> injector(new Injector(std::move(filter), std::move(writer)));
  injector->thread_ = std::thread([raw = injector.get()] {
    ::pthread_setname_np(::pthread_self(), "ct-inject");
    raw->Run();
  });
  return injector;
}

Injector::Injector(Filter filter, KernelWriter writer)
    : filter_(std::move(filter)), writer_(std::move(writer)) {}

Injector::~Injector() {
  if (!thread_.joinable()) return;
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  thread_.join();
}

bool Injector::TryPush(Batch batch) {
  absl::MutexLock lock(&mutex_);
  if (waiting_.size() >= kMaxWaiting) return false;
  waiting_.push_back(std::move(batch));
  return true;
}

void Injector::Barrier(std::function<void()> done) {
  Batch empty;
  empty.applied = [done = std::move(done)](const Applied&) { done(); };
  absl::MutexLock lock(&mutex_);
  waiting_.push_back(std::move(empty));
}

void Injector::Release() {
  absl::MutexLock lock(&mutex_);
  release_ = true;
}

void Injector::Renew() {
  absl::MutexLock lock(&mutex_);
  renew_ = true;
}

void Injector::Loosen() {
  absl::MutexLock lock(&mutex_);
  loosen_ = true;
}

bool Injector::HasWork() const {
  return stop_ || release_ || renew_ || loosen_ || !waiting_.empty();
}

void Injector::Run() {
  for (;;) {
    std::deque<Batch> batches;
    bool renew = false;
    {
      absl::MutexLock lock(&mutex_);
      if (!release_list_.Running() && !loosen_list_.Running())
        mutex_.Await(absl::Condition(this, &Injector::HasWork));
      if (stop_) return;
      batches.swap(waiting_);
      renew = std::exchange(renew_, false);
      if (std::exchange(loosen_, false) && !loosen_list_.Begin().ok())
        log::Warning("conntrack_loosen_failed");
      if (batches.empty() && std::exchange(release_, false)) {
        timeouts_ = Timeouts::Read();
        if (!release_list_.Begin().ok()) log::Warning("conntrack_release_failed");
      }
    }
    // Small batches that came together go into the kernel together; none is acknowledged before.
    for (const Batch& batch : batches) Apply(batch);
    Flush();
    flows_ = table_.size();
    digest_ = table_.digest();
    memory_ = table_.Memory();
    for (const Batch& batch : batches) {
      Applied applied{refused_, std::nullopt};
      if (&batch == &batches.back()) applied.digest = digest_;
      if (batch.applied) batch.applied(applied);
    }
    if (renew) RenewAll();
    if (batches.empty() && loosen_list_.Running()) LoosenSome();
    if (batches.empty() && release_list_.Running()) ReleaseSome();
  }
}

void Injector::Apply(const Batch& batch) {
  if (batch.snapshot_begins) batch.merge ? BeginMerge() : BeginSnapshot();
  for (const Flow& flow : batch.flows) ApplyFlow(flow);
  if (batch.snapshot_ends) batch.merge ? EndMerge() : EndSnapshot();
  applied_ += batch.flows.size();
}

void Injector::ApplyFlow(const Flow& flow) {
  if (flow.gone) {
    if (table_.End(flow.key)) Add(Verb::kDelete, flow);
    return;
  }
  if (!filter_.Replicates(flow.key) || local_.EndsHere(flow)) return table_.Skip(flow);
  Flow whole;
  switch (table_.Name(flow, whole)) {
    case FlowTable::Change::kNone:
      return;
    case FlowTable::Change::kCreate:
      return Put(Verb::kCreate, whole);
    case FlowTable::Change::kUpdate:
      return Put(Verb::kUpdate, whole);
    case FlowTable::Change::kReplace:
      Add(Verb::kDelete, whole);
      return Put(Verb::kCreate, whole);
  }
}

void Injector::BeginMerge() {
  Flush();
  merging_ = true;
  table_.Clear();
  local_ = LocalAddresses::Read();
  timeouts_ = Timeouts::Read();
}

void Injector::BeginSnapshot() {
  Flush();
  merging_ = false;
  ++snapshots_;
  {
    absl::MutexLock lock(&mutex_);
    release_ = false;
  }
  release_list_.Abandon();
  table_.Clear();
  local_ = LocalAddresses::Read();
  // What the kernel has: from an earlier stream, from an earlier agent, or from when this node was
  // master. What of it is as the master's is stays untouched, and what the master does not have
  // goes at the end.
  Snapshot own;
  absl::StatusOr<bool> more = true;
  if (const absl::Status begun = own.Begin(); !begun.ok()) more = begun;
  std::vector<Flow> part;
  while (more.ok() && *more) {
    part.clear();
    more = own.Next(part);
    for (const Flow& flow : part) {
      if (filter_.Replicates(flow.key) && !local_.EndsHere(flow))
        table_.Adopt(flow, IsHeld(flow.timeout));
    }
  }
  if (!more.ok()) {
    log::Warning("conntrack_snapshot_failed", {{"error", std::string(more.status().message())}});
  }
}

void Injector::EndSnapshot() {
  Flush();
  table_.Sweep([this](const Flow& gone) { Add(Verb::kDelete, gone); });
}

void Injector::EndMerge() {
  Flush();
  log::Info("conntrack_merged", {{"flows", absl::StrCat(table_.size())}});
}

bool Injector::ReleaseSome() {
  std::vector<Flow> part;
  const absl::StatusOr<bool> more = release_list_.Next(part);
  for (const Flow& flow : part) {
    if (IsHeld(flow.timeout)) Add(Verb::kTimeout, flow, timeouts_.Of(flow));
  }
  Flush();
  if (!more.ok())
    log::Warning("conntrack_release_failed", {{"error", std::string(more.status().message())}});
  return more.ok() && *more;
}

bool Injector::LoosenSome() {
  std::vector<Flow> part;
  const absl::StatusOr<bool> more = loosen_list_.Next(part);
  constexpr uint8_t kLiberal = IP_CT_TCP_FLAG_BE_LIBERAL;
  for (const Flow& flow : part) {
    const bool is_loose = (flow.tcp.original_flags & flow.tcp.reply_flags & kLiberal) != 0;
    if (flow.key.protocol == IPPROTO_TCP && !is_loose) Add(Verb::kLoosen, flow);
  }
  Flush();
  if (!more.ok())
    log::Warning("conntrack_loosen_failed", {{"error", std::string(more.status().message())}});
  return more.ok() && *more;
}

void Injector::RenewAll() {
  std::vector<FlowKey> keys;  // a refusal may end an entry meanwhile
  keys.reserve(table_.size());
  table_.ForEach([&](const Flow& flow) { keys.push_back(flow.key); });
  Flow flow;
  for (const FlowKey& key : keys) {
    if (table_.Find(key, flow)) Add(Verb::kUpdate, flow);
  }
  Flush();
}

void Injector::Add(Verb verb, const Flow& flow, uint32_t timeout) {
  if (writer_.Full()) Flush();
  writer_.Add(verb, flow, timeout);
}

void Injector::Put(Verb verb, const Flow& flow) {
  Add(verb, flow, merging_ ? timeouts_.Of(flow) : kHoldTimeout);
}

void Injector::Flush() {
  for (const KernelWriter::Refusal& refusal : writer_.Flush()) Settle(refusal);
}

void Injector::Settle(const KernelWriter::Refusal& refusal) {
  // Gone already: by its own timeout, by an operator, or as a released entry.
  if (refusal.verb == Verb::kDelete || refusal.verb == Verb::kDeleteByReply ||
      refusal.verb == Verb::kTimeout || refusal.verb == Verb::kLoosen)
    return;
  // What this node has itself stays: its own clients use it.
  if (merging_ && refusal.verb == Verb::kCreate && refusal.error == EEXIST) {
    table_.End(refusal.key);
    return;
  }
  Flow wanted;
  // By now a later change may have ended it.
  if (!table_.Find(refusal.key, wanted)) return;
  // A create that failed for another reason (the kernel's table is full) will not do better at
  // once.
  const bool in_the_way = refusal.verb != Verb::kCreate || refusal.error == EEXIST;
  if (in_the_way && !merging_ && Force(wanted)) return;
  table_.End(refusal.key);
  ++refused_;
}

bool Injector::Now(Verb verb, const Flow& flow) {
  writer_.Add(verb, flow, kHoldTimeout);
  return writer_.Flush().empty();
}

bool Injector::Force(const Flow& flow) {
  const absl::StatusOr<absl::optional<Flow>> found = writer_.Get(flow.key);
  if (!found.ok()) return false;
  if (found->has_value()) {
    if (CanBecome(**found, flow) && Now(Verb::kUpdate, flow)) return true;
    // Not the master's: a stray packet made it, or a rule with another choice.
    ++conflicts_;
    Now(Verb::kDelete, flow);
    if (Now(Verb::kCreate, flow)) return true;
  } else if (Now(Verb::kCreate, flow)) {
    return true;
  }
  // Another flow has our reply direction.
  if (!Now(Verb::kDeleteByReply, flow)) return false;
  ++conflicts_;
  return Now(Verb::kCreate, flow);
}

}  // namespace zcluster::conntrack
