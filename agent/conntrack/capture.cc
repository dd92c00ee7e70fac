// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/capture.h"

#include <libmnl/libmnl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/conntrack/event_program.h"
#include "agent/conntrack/expectation_message.h"
#include "agent/conntrack/lookup.h"
#include "agent/conntrack/parse.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

// The kernel gives one event a datagram, of some 250 bytes.
constexpr size_t kRingSlots = 64;
constexpr size_t kSlotBytes = 2048;

// So many reads before orders and the snapshot get their turn.
constexpr int kReadsInARow = 32;

// Above 8,000 events a second we nap after each wake-up, until two dozen have gathered, and at
// least so long: the packet path then wakes us a thousand times a second instead of each time, and
// a third more flows a second fit. What gathered leaves as one batch, which is most of what it
// costs: a message over gRPC and TLS takes some 100 us of the two nodes and 400 bytes, a flow in it
// 8 us and 20 bytes. Below, every event is read at once.
constexpr double kBusyRate = 8000;
constexpr double kGathered = 24;
constexpr absl::Duration kNap = absl::Milliseconds(1);
// Over which the rate is taken: a burst of a few flows is not busy.
constexpr absl::Duration kRateSpan = absl::Milliseconds(10);

// Where events are lost again and again, snapshots must not be all that we do.
constexpr absl::Duration kSnapshotInterval = absl::Milliseconds(500);

// A helper has rewritten a packet by then.
constexpr absl::Duration kLookAgain = absl::Milliseconds(20);

void Nap(absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) return;
  const timespec time = absl::ToTimespec(duration);
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

}  // namespace

absl::Duration NapAt(double events_per_second) {
  if (events_per_second < kBusyRate) return absl::ZeroDuration();
  return std::max(kNap, absl::Seconds(kGathered / events_per_second));
}

// Room for one recvmmsg(2).
struct Capture::Ring {
  Ring() {
    for (size_t i = 0; i < kRingSlots; ++i) {
      parts[i] = {bytes[i].data(), kSlotBytes};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }

  alignas(8) std::array<std::array<char, kSlotBytes>, kRingSlots> bytes;
  std::array<iovec, kRingSlots> parts;
  std::array<mmsghdr, kRingSlots> messages{};
};

absl::StatusOr<std::unique_ptr<Capture>> Capture::Start(Options options, Changes& changes,
                                                        std::function<void()> overrun) {
  std::unique_ptr<Capture> capture(new Capture(std::move(options), changes, std::move(overrun)));
  ZC_ASSIGN_OR_RETURN(capture->events_socket_, NetlinkSocket::Open());
  NetlinkSocket& socket = capture->events_socket_;
  ZC_RETURN_IF_ERROR(socket.SetReceiveBuffer(capture->options_.buffer));
  ZC_RETURN_IF_ERROR(socket.KeepLostEnds());
  ZC_ASSIGN_OR_RETURN(capture->query_, NetlinkSocket::Open());
  ZC_RETURN_IF_ERROR(socket.JoinConntrackEvents(
      EventProgram(capture->options_.muted, capture->options_.filter.rules())));
  capture->wake_.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!capture->wake_) return ErrnoStatus("eventfd");
  changes.OnRoom([raw = capture.get()] { raw->Wake(); });
  capture->thread_ = std::thread([raw = capture.get()] {
    ::pthread_setname_np(::pthread_self(), "ct-capture");
    raw->Run();
  });
  return capture;
}

Capture::Capture(Options options, Changes& changes, std::function<void()> overrun)
    : options_(std::move(options)),
      changes_(changes),
      overrun_(std::move(overrun)),
      ring_(std::make_unique<Ring>()) {
  events_.reserve(kRingSlots);
}

Capture::~Capture() {
  if (!thread_.joinable()) return;
  changes_.OnRoom({});
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  Wake();
  thread_.join();
}

void Capture::RequestSnapshot() {
  {
    absl::MutexLock lock(&mutex_);
    snapshot_requested_ = true;
  }
  Wake();
}

void Capture::Wake() const { ::eventfd_write(wake_.get(), 1); }

void Capture::Drain(std::function<void()> drained) {
  {
    absl::MutexLock lock(&mutex_);
    drains_.push_back(std::move(drained));
  }
  Wake();
}

void Capture::Run() {
  while (TakeOrders()) {
    // Events that nobody reads in time are lost; a whole table can wait for others' turn.
    urgency_.Set(!snapshot_.Running());
    Wait();
    const absl::Time now = Loop::Now();
    Measure(now, ReadEvents());
    if (now >= look_due_) {
      look_due_ = absl::InfiniteFuture();
      Look(std::exchange(look_later_, {}));
    }
    if (snapshot_due_ && now >= snapshot_not_before_) {
      if (changes_.Wanted()) BeginSnapshot(/*whole=*/false);
      snapshot_due_ = snapshot_due_ && changes_.Wanted();
    }
    if (SnapshotMayGoOn()) ReadSnapshot();
  }
}

void Capture::Measure(absl::Time now, size_t events) {
  span_events_ += events;
  const absl::Duration span = now - span_began_;
  if (span < kRateSpan) return;
  const double rate = static_cast<double>(span_events_) / absl::ToDoubleSeconds(span);
  nap_ = NapAt(rate);
  span_began_ = now;
  span_events_ = 0;
}

void Capture::Wait() {
  int patience = -1;
  const absl::Time due =
      std::min(look_due_, snapshot_due_ ? snapshot_not_before_ : absl::InfiniteFuture());
  if (due != absl::InfiniteFuture()) {
    const absl::Duration left = due - Loop::Now();
    patience =
        left <= absl::ZeroDuration() ? 0 : static_cast<int>(absl::ToInt64Milliseconds(left)) + 1;
  }
  if (SnapshotMayGoOn()) patience = 0;
  pollfd watched[] = {{events_socket_.fd(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
  ::poll(watched, 2, patience);
  if ((watched[1].revents & POLLIN) != 0) {
    eventfd_t ignored = 0;
    ::eventfd_read(wake_.get(), &ignored);
  }
  if (watched[0].revents != 0 && patience != 0) Nap(nap_);
}

bool Capture::TakeOrders() {
  std::vector<std::function<void()>> drains;
  bool begin = false;
  {
    absl::MutexLock lock(&mutex_);
    if (stop_) return false;
    drains.swap(drains_);
    begin = std::exchange(snapshot_requested_, false);
  }
  if (begin) BeginSnapshot(/*whole=*/true);
  if (!drains.empty()) ReadAllEvents();
  for (const std::function<void()>& drained : drains) drained();
  return true;
}

void Capture::ReadAllEvents() {
  // What comes meanwhile need not be read, so the end does not depend on who makes events faster:
  // the socket held less than its buffer when we began.
  for (size_t read = 0; read < static_cast<size_t>(options_.buffer) / 128;) {
    const size_t events = ReadEvents();
    if (events == 0) return;
    read += events;
  }
}

size_t Capture::ReadEvents() {
  size_t total = 0;
  for (int i = 0; i < kReadsInARow; ++i) {
    const int count =
        ::recvmmsg(events_socket_.fd(), ring_->messages.data(), kRingSlots, MSG_DONTWAIT, nullptr);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == ENOBUFS) {
      OnOverrun();
      continue;  // it is told once, then the socket goes on with what it held
    }
    if (count <= 0) break;
    total += static_cast<size_t>(count);
    events_.clear();
    expectations_.clear();
    for (size_t j = 0; j < static_cast<size_t>(count); ++j) {
      int left = static_cast<int>(ring_->messages[j].msg_len);
      for (const auto* message = reinterpret_cast<const nlmsghdr*>(ring_->bytes[j].data());
           mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
        ReadEvent(*message);
      }
    }
    const absl::Time now = Loop::Now();
    if (!changes_.Add(events_, now)) {
      log::Warning("conntrack_changes_dropped", {{"cause", "the peer is too slow"}});
      snapshot_due_ = true;
    }
    if (options_.tap != nullptr) options_.tap->Offer(events_, now);
    if (!expectations_.empty()) changes_.AddExpectations(expectations_);
    if (!look_now_.empty()) Look(std::exchange(look_now_, {}));
    if (static_cast<size_t>(count) < kRingSlots) break;
  }
  return total;
}

bool Capture::MayConcern(Flow& flow) const {
  if (!options_.filter.Replicates(flow.key) || !options_.filter.rules().MayTake(flow)) return false;
  if (!only_plain_.load(std::memory_order_relaxed)) return true;
  if (!IsPlain(flow)) return false;
  flow.rare = nullptr;
  return true;
}

bool Capture::Wanted(Flow& flow) const {
  return MayConcern(flow) && options_.filter.rules().Take(flow);
}

bool Capture::Known(const FlowKey& key) const {
  const auto last = std::find_if(events_.rbegin(), events_.rend(),
                                 [&](const Flow& told) { return told.key == key; });
  return last != events_.rend() ? !last->gone : changes_.Holds(key);
}

void Capture::Judge(Flow flow, bool new_flow) {
  const Rules& rules = options_.filter.rules();
  if (flow.gone || !rules.Change()) return events_.push_back(std::move(flow));
  if (!rules.CanJudge(flow)) {
    look_now_.insert(flow.key);
  } else if (!rules.Take(flow)) {
    // What a snapshot has found of it may be older, and still to come.
    if (!Known(flow.key) && !changes_.SnapshotOpen()) return;
    flow.gone = true;  // for the peer
    events_.push_back(std::move(flow));
  } else if (new_flow || Known(flow.key)) {
    events_.push_back(std::move(flow));
  } else {
    // What was told of it before was not kept, and is not told again.
    look_now_.insert(flow.key);
  }
}

bool Capture::Wanted(const Expectation& expectation) const {
  return !only_plain_.load(std::memory_order_relaxed) &&
         options_.filter.Replicates(expectation.what.master);
}

void Capture::ReadEvent(const nlmsghdr& message) {
  Flow flow;
  Expectation expectation;
  if (ParseFlow(message, flow, options_.labels)) {
    if (!MayConcern(flow)) return;
    if (flow.shifted) look_now_.insert(flow.key);
    Judge(std::move(flow), (message.nlmsg_flags & NLM_F_CREATE) != 0);
  } else if (ParseExpectation(message, expectation)) {
    if (!Wanted(expectation)) return;
    look_now_.insert(expectation.what.master);
    // The event comes just before the packet is rewritten.
    if (look_later_.empty()) look_due_ = Loop::Now() + kLookAgain;
    look_later_.insert(expectation.what.master);
    expectations_.push_back(expectation);
  } else {
    ++skipped_;
  }
}

void Capture::Look(const absl::flat_hash_set<FlowKey>& keys) {
  events_.clear();
  for (const FlowKey& key : keys) {
    absl::StatusOr<absl::optional<Flow>> flow =
        Lookup(query_, ++query_number_, key, options_.labels);
    if (flow.ok() && flow->has_value() && MayConcern(**flow)) Judge(**std::move(flow), true);
  }
  if (!changes_.Add(events_, Loop::Now())) snapshot_due_ = true;
}

void Capture::ReadExpectations() {
  if (only_plain_) return;
  absl::StatusOr<std::vector<Expectation>> found = ListExpectations();
  if (!found.ok()) {
    log::Warning("conntrack_snapshot_failed", {{"error", std::string(found.status().message())}});
    return;
  }
  std::erase_if(*found, [this](const Expectation& at) { return !Wanted(at); });
  for (Expectation& expectation : *found) {
    if (IsHeldExpectation(expectation.timeout)) expectation.timeout = kExpectationLife;
  }
  changes_.EndExpectationsBut(*found);
  changes_.AddExpectations(*found);
}

void Capture::OnOverrun() {
  ++overruns_;
  snapshot_due_ = changes_.Wanted();
  overrun_();
}

void Capture::BeginSnapshot(bool whole) {
  snapshot_due_ = false;
  snapshot_not_before_ = Loop::Now() + kSnapshotInterval;
  // What lies in the socket is older than the snapshot, and would be taken for newer. After an
  // overrun the kernel drops everything, without telling again, until the socket is empty: reading
  // it makes events whole again.
  ReadAllEvents();
  comparing_ = !whole && changes_.BeginComparison();
  differed_before_ = changes_.Differing();
  if (!comparing_) changes_.BeginSnapshot();
  const absl::Status begun = snapshot_.Begin(options_.labels);
  if (!begun.ok()) {
    log::Warning("conntrack_snapshot_failed", {{"error", std::string(begun.message())}});
    snapshot_due_ = true;
  }
}

void Capture::ReadSnapshot() {
  found_.clear();
  const absl::StatusOr<bool> more = snapshot_.Next(found_);
  std::erase_if(found_, [this](Flow& flow) { return !Wanted(flow); });
  const bool wanted = changes_.AddFound(found_, Loop::Now());
  if (!more.ok()) {
    log::Warning("conntrack_snapshot_failed", {{"error", std::string(more.status().message())}});
    snapshot_due_ = true;
  } else if (!wanted) {
    snapshot_.Abandon();
  } else if (!*more) {
    ReadExpectations();
    changes_.EndSnapshot();
    if (comparing_)
      log::Info("conntrack_compared",
                {{"differing", absl::StrCat(changes_.Differing() - differed_before_)}});
  }
}

}  // namespace zcluster::conntrack
