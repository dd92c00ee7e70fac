// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/inject.h"

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/conntrack/expectation_message.h"
#include "agent/conntrack/kernel.h"
#include "agent/conntrack/release.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

bool HasHelper(const Flow& flow) { return flow.rare && flow.rare->helper[0] != 0; }

bool IsOfExpectations(Verb verb) {
  return verb == Verb::kExpect || verb == Verb::kExpectTimeout || verb == Verb::kUnexpect;
}

// No rule of this kernel asks for labels: the rest of an update is done (PutUpdate).
bool IsDone(Verb verb, int error) {
  return error == 0 || (verb == Verb::kUpdate && error == ENOSPC);
}

// A flow was refused because its master is not there, or its helper not in this kernel.
bool LacksSomething(const Flow& flow, int error) {
  if (!flow.rare) return false;
  return (error == ENOENT && flow.rare->Has(Rare::kMaster)) ||
         (error == EOPNOTSUPP && flow.rare->helper[0] != 0);
}

}  // namespace

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

void Injector::SetFilter(Filter filter) {
  absl::MutexLock lock(&mutex_);
  new_filter_ = std::move(filter);
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
  return stop_ || release_ || renew_ || loosen_ || give_up_ || !waiting_.empty();
}

void Injector::Run() {
  for (;;) {
    // What our peer changed must not wait for others' turn; going through our own table may.
    urgency_.Set(!release_list_.Running() && !loosen_list_.Running());
    std::deque<Batch> batches;
    bool renew = false;
    {
      absl::MutexLock lock(&mutex_);
      if (!release_list_.Running() && !loosen_list_.Running())
        mutex_.AwaitWithTimeout(absl::Condition(this, &Injector::HasWork),
                                std::min(UntilTry(), tell_at_ - Loop::Now()));
      if (stop_) return;
      batches.swap(waiting_);
      if (new_filter_) filter_ = *std::exchange(new_filter_, std::nullopt);
      renew = std::exchange(renew_, false);
      if (batches.empty() && std::exchange(give_up_, false)) ForgetMissing();
      if (std::exchange(loosen_, false) && !loosen_list_.Begin().ok())
        log::Warning("conntrack_loosen_failed");
      if (batches.empty() && std::exchange(release_, false)) {
        timeouts_ = Timeouts::Read();
        ForgetMissing();
        if (!release_list_.Begin().ok()) log::Warning("conntrack_release_failed");
      }
    }
    // Small batches that came together go into the kernel together; none is acknowledged before.
    for (const Batch& batch : batches) Apply(batch);
    Flush();
    if (!remade_.empty()) {
      ExpectAgain();
      Flush();
    }
    const Applied last = Measure();
    for (Batch& batch : batches) {
      Applied applied = last;
      if (&batch != &batches.back()) applied.digest.reset();
      if (batch.applied) batch.applied(applied);
      if (batch.later) later_ = std::move(batch.later);
    }
    const absl::Time now = Loop::Now();
    if (!batches.empty()) tell_at_ = std::min(tell_at_, now + kTellWithin);
    if (TryMissing() || now >= tell_at_) Tell();
    if (renew) {
      urgency_.Set(false);
      RenewAll();
    }
    if (batches.empty() && loosen_list_.Running()) LoosenSome();
    if (batches.empty() && release_list_.Running()) ReleaseSome();
  }
}

void Injector::Tell() {
  tell_at_ = absl::InfiniteFuture();
  const Applied now = Measure();
  if (later_) later_(now);
}

Injector::Applied Injector::Measure() {
  flows_ = table_.size();
  digest_ = table_.digest() + expectations_.digest();
  memory_ = table_.Memory() + expectations_.Memory();
  full_ = full_ && table_.missing() > 0;
  Lack lack{table_.missing(), 0, 0};
  if (full_) {
    const TableFill fill = ReadTableFill();
    lack.entries = fill.entries;
    lack.maximum = fill.maximum;
  }
  absl::MutexLock lock(&mutex_);
  lack_ = lack;
  return {refused_.load(), digest_.load(), lack};
}

void Injector::Apply(const Batch& batch) {
  if (batch.snapshot_begins) batch.merge ? BeginMerge() : BeginSnapshot();
  for (const Flow& flow : batch.flows) ApplyFlow(flow);
  if (!batch.expectations.empty() || !remade_.empty()) {
    Flush();  // the masters are there
    ExpectAgain();
    for (const Expectation& expectation : batch.expectations) ApplyExpectation(expectation);
  }
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
  expectations_.Clear();
  orphans_.clear();
  remade_.clear();
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
  expectations_.Clear();
  remade_.clear();
  orphans_.clear();
  local_ = LocalAddresses::Read();
  AdoptFlows();
  AdoptExpectations();
}

void Injector::AdoptFlows() {
  // To find nothing in a million buckets takes a tenth of a second.
  const TableFill fill = ReadTableFill();
  if (fill.maximum != 0 && fill.entries == 0) return;
  Snapshot own;
  absl::StatusOr<bool> more = true;
  if (const absl::Status begun = own.Begin(); !begun.ok()) more = begun;
  std::vector<Flow> part;
  while (more.ok() && *more) {
    part.clear();
    more = own.Next(part);
    for (const Flow& flow : part) {
      // What is held goes at the end though the rules have come to leave it out since.
      const bool held = IsHeld(flow.timeout);
      if (filter_.Replicates(flow.key) && !local_.EndsHere(flow) &&
          (held || filter_.rules().Take(flow)))
        table_.Adopt(flow, held);
    }
  }
  if (!more.ok()) {
    log::Warning("conntrack_snapshot_failed", {{"error", std::string(more.status().message())}});
  }
}

void Injector::ApplyExpectation(const Expectation& expectation) {
  const FlowKey& key = expectation.what.key;
  if (expectation.gone) {
    if (expectations_.End(key)) Add(Verb::kUnexpect, expectation, 0);
    return;
  }
  // Announced by a flow that is none for this node's kernel, or in a zone, which nobody tells.
  Flow master;
  if (!table_.Find(expectation.what.master, master)) return expectations_.Skip(expectation);
  if (expectations_.Name(expectation)) Expect(expectation);
}

void Injector::Expect(const Expectation& expectation) {
  // What this node has itself stays, and what it has not gets the helper's own timeout.
  if (merging_) return Add(Verb::kExpect, expectation, 0);
  Add(Verb::kUnexpect, expectation, 0);
  Add(Verb::kExpect, expectation, 0);
  Add(Verb::kExpectTimeout, expectation, kHoldExpectation);
}

void Injector::ExpectAgain() {
  if (remade_.empty()) return;
  expectations_.ForEach([this](const Expectation& expectation) {
    if (remade_.contains(expectation.what.master)) Expect(expectation);
  });
  remade_.clear();
}

void Injector::AdoptExpectations() {
  const absl::StatusOr<std::vector<Expectation>> own = ListExpectations();
  if (!own.ok()) {
    log::Warning("conntrack_snapshot_failed", {{"error", std::string(own.status().message())}});
    return;
  }
  Flow master;
  for (const Expectation& expectation : *own) {
    if (table_.Find(expectation.what.master, master)) expectations_.Adopt(expectation);
  }
}

void Injector::EndSnapshot() {
  Flush();
  AdoptOrphans();
  expectations_.Sweep([this](const Expectation& gone) { Add(Verb::kUnexpect, gone, 0); });
  table_.Sweep([this](const Flow& gone) { Add(Verb::kDelete, gone); });
}

void Injector::EndMerge() {
  Flush();
  AdoptOrphans();
  Flush();
  log::Info("conntrack_merged", {{"flows", absl::StrCat(table_.size())}});
}

bool Injector::ReleaseSome() {
  std::vector<Flow> part;
  const absl::StatusOr<bool> more = release_list_.Next(part);
  conntrack::Release(writer_, part, timeouts_);
  if (more.ok() && !*more) ReleaseExpectations(writer_, &expectations_);
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
    if (!table_.Find(key, flow)) continue;
    if (key.protocol == IPPROTO_GRE) {  // its timeout may be fixed
      Add(Verb::kDelete, flow);
      Add(Verb::kCreate, flow);
    } else {
      Add(Verb::kUpdate, flow);
    }
  }
  expectations_.ForEach([this](const Expectation& expectation) {
    Add(Verb::kExpectTimeout, expectation, kHoldExpectation);
  });
  Flush();
}

void Injector::Add(Verb verb, const Expectation& expectation, uint32_t timeout) {
  if (writer_.Full()) Flush();
  writer_.Add(verb, expectation, timeout);
}

void Injector::Add(Verb verb, const Flow& flow, uint32_t timeout) {
  if (writer_.Full()) Flush();
  if (verb == Verb::kDelete || verb == Verb::kCreate) orphans_.erase(flow.key);
  if (verb == Verb::kCreate && HasHelper(flow)) remade_.insert(flow.key);
  if (orphans_.empty()) {
    writer_.Add(verb, flow, timeout);
  } else {
    writer_.Add(verb, Possible(flow), timeout);
  }
  // Apart, for an update that names a timeout which is fixed fails as a whole (PutUpdate).
  if (verb == Verb::kUpdate && flow.key.protocol == IPPROTO_GRE) Add(Verb::kTimeout, flow, timeout);
}

Flow Injector::Possible(const Flow& flow) const {
  Flow possible = flow;
  if (!flow.rare || !orphans_.contains(flow.key)) return possible;
  Rare left = *flow.rare;
  left.helper = {};
  possible.rare = Without(std::make_shared<const Rare>(left), Rare::kMaster);
  return possible;
}

void Injector::AdoptOrphans() {
  for (const FlowKey& key : std::vector<FlowKey>(orphans_.begin(), orphans_.end())) {
    Flow flow, master;
    if (!table_.Find(key, flow) || !flow.rare || !flow.rare->Has(Rare::kMaster)) continue;
    FlowKey wanted = flow.rare->master;
    wanted.zone = key.zone;
    if (!table_.Find(wanted, master)) continue;
    Add(Verb::kDelete, flow);
    Put(Verb::kCreate, flow);
  }
}

void Injector::Put(Verb verb, const Flow& flow) {
  Add(verb, flow, merging_ ? timeouts_.OfInjected(flow) : kHoldTimeout);
}

void Injector::Flush() {
  for (const KernelWriter::Refusal& refusal : writer_.Flush()) Settle(refusal);
}

void Injector::SettleExpectation(const KernelWriter::Refusal& refusal) {
  if (refusal.verb != Verb::kExpect) return;
  expectations_.End(refusal.key);
  if (!merging_ || refusal.error != EEXIST) ++refused_;
}

void Injector::Settle(const KernelWriter::Refusal& refusal) {
  if (IsOfExpectations(refusal.verb)) return SettleExpectation(refusal);
  // Gone already: by its own timeout, by an operator, or as a released entry.
  if (refusal.verb == Verb::kDelete || refusal.verb == Verb::kDeleteByReply ||
      refusal.verb == Verb::kTimeout || refusal.verb == Verb::kLoosen)
    return;
  // What this node has itself stays: its own clients use it.
  if (merging_ && refusal.verb == Verb::kCreate && refusal.error == EEXIST) {
    table_.End(refusal.key);
    return;
  }
  if (IsDone(refusal.verb, refusal.error)) return;
  Flow wanted;
  // By now a later change may have ended it.
  if (!table_.Find(refusal.key, wanted)) return;
  // A create that failed for another reason (the kernel's table is full) will not do better at
  // once.
  const bool in_the_way = refusal.verb != Verb::kCreate || refusal.error == EEXIST;
  if (in_the_way && !merging_ && Force(wanted)) return;
  if (!in_the_way && LacksSomething(wanted, refusal.error) && Make(wanted)) return;
  full_ = full_ || refusal.error == ENOMEM;
  if (!trying_) ++refused_;
  if (merging_) {
    table_.End(refusal.key);
  } else {
    table_.Refuse(refusal.key);
  }
}

int Injector::Now(Verb verb, const Flow& flow) {
  writer_.Add(verb, flow, merging_ ? timeouts_.OfInjected(flow) : kHoldTimeout);
  const std::vector<KernelWriter::Refusal> refused = writer_.Flush();
  const int error = refused.empty() ? 0 : refused.front().error;
  full_ = full_ || error == ENOMEM;
  return error;
}

bool Injector::Make(const Flow& flow) {
  orphans_.erase(flow.key);
  if (HasHelper(flow)) remade_.insert(flow.key);
  const int error = Now(Verb::kCreate, flow);
  if (error == 0 || !LacksSomething(flow, error)) return error == 0;
  orphans_.insert(flow.key);
  return Now(Verb::kCreate, Possible(flow)) == 0;
}

bool Injector::Force(const Flow& flow) {
  const absl::StatusOr<absl::optional<Flow>> found = writer_.Get(flow.key);
  if (!found.ok()) return false;
  if (found->has_value()) {
    const Flow possible = Possible(flow);
    if (CanBecome(**found, possible) && IsDone(Verb::kUpdate, Now(Verb::kUpdate, possible))) {
      if (flow.key.protocol == IPPROTO_GRE) Now(Verb::kTimeout, flow);  // see Add
      return true;
    }
    // Not the master's: a stray packet made it, or a rule with another choice.
    ++conflicts_;
    Now(Verb::kDelete, flow);
  }
  if (Make(flow)) return true;
  // Another flow has our reply direction.
  if (Now(Verb::kDeleteByReply, flow) != 0) return false;
  ++conflicts_;
  return Make(flow);
}

}  // namespace zcluster::conntrack
