// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/peer.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/peer/reason.h"
#include "common/check.h"
#include "common/grpc_address.h"
#include "common/log.h"

namespace zcluster::peer {
namespace {

constexpr absl::Duration kCheckOwnEvery = absl::Seconds(2);
// The channel reconnects by itself; how soon we notice.
constexpr absl::Duration kWatchEvery = absl::Milliseconds(100);
// A stranger that knocks while the link is up fills no log.
constexpr absl::Duration kLogRefusalEvery = absl::Minutes(1);

}  // namespace

PeerLink::PeerLink(Loop& loop, Options options, std::shared_ptr<grpc::Channel> peer)
    : loop_(loop),
      options_(options),
      channel_(std::move(peer)),
      inlet_(std::make_shared<Inlet>(loop, static_cast<StreamListener&>(*this))),
      service_(MakeLinkService(inlet_)),
      link_(std::move(options)) {
  ZC_CHECK(options_.node != options_.peer);
}

PeerLink::~PeerLink() { Stop(); }

absl::Status PeerLink::Start(EventSink& events) {
  events_ = &events;
  CheckOwnFiles();
  Carry(link_.Start(Loop::Now()));
  if (options_.check_own_files) {
    check_own_ = loop_.Every(kCheckOwnEvery, [this] { CheckOwnFiles(); });
  }
  if (options_.Dials()) watch_channel_ = loop_.Every(kWatchEvery, [this] { WatchChannel(); });
  return absl::OkStatus();
}

void PeerLink::Perform(const core::Action& action) {
  if (events_ == nullptr) return;
  if (const auto* send = std::get_if<core::SendState>(&action)) {
    Carry(link_.Tell(send->state));
  } else if (const auto* ask = std::get_if<core::AskPeer>(&action)) {
    Carry(link_.Ask(*ask));
  } else if (const auto* answer = std::get_if<core::AnswerPeer>(&action)) {
    Carry(link_.Answer(*answer));
  }
}

void PeerLink::Stop() {
  events_ = nullptr;
  wake_.reset();
  check_own_.reset();
  watch_channel_.reset();
  for (auto& [id, stream] : streams_) {
    stream->Close(absl::UnavailableError(absl::StrCat("zagent on ", options_.node, " stops")));
  }
  streams_.clear();
  inlet_->Shut();
}

void PeerLink::Refused(std::string reason) {
  absl::MutexLock lock(&refused_mutex_);
  const bool posted = refused_.has_value();
  refused_ = std::move(reason);
  if (!posted) inlet_->Hand([this](StreamListener&) { TakeRefusal(); });
}

void PeerLink::TakeRefusal() {
  std::string reason;
  {
    absl::MutexLock lock(&refused_mutex_);
    reason = *std::exchange(refused_, absl::nullopt);
  }
  const absl::Time now = Loop::Now();
  if (reason != logged_refusal_ || now - logged_refusal_at_ >= kLogRefusalEvery) {
    logged_refusal_ = reason;
    logged_refusal_at_ = now;
    log::Warning("peer_refused", {{"reason", reason}});
  }
  Carry(link_.Refused(reason, now));
}

void PeerLink::CheckOwnFiles() {
  if (!options_.check_own_files || link_.IsUp()) return;
  Carry(link_.OwnTrouble(std::string(options_.check_own_files().message())));
}

// While an attempt to connect goes on, gRPC fails new streams with the reason of the attempt
// before, so that the stream that finds the connection ready would come one backoff later than it
// could.
void PeerLink::WatchChannel() {
  if (link_.IsUp()) return;
  const bool ready = channel_->GetState(false) == GRPC_CHANNEL_READY;
  if (ready && !std::exchange(was_ready_, ready)) Carry(link_.Hurry(Loop::Now()));
  was_ready_ = ready;
}

void PeerLink::OnServed(std::unique_ptr<EventStream> stream) {
  const StreamId id = stream->id();
  stream->Read();
  streams_[id] = std::move(stream);
  Carry(link_.Opened(id, Direction::kServed, Loop::Now()));
}

void PeerLink::OnHeard(StreamId stream, const Heard& heard) {
  spoke_ = stream;
  Carry(link_.Received(stream, heard, Loop::Now()));
  // Only now: a peer that talks faster than we listen waits in TCP, not in our memory.
  if (EventStream* open = Find(stream)) open->Read();
}

void PeerLink::OnWritten(StreamId stream) {
  if (EventStream* open = Find(stream)) open->Written();
}

void PeerLink::OnDrained(StreamId stream) {
  if (EventStream* open = Find(stream)) open->Release();
  streams_.erase(stream);
}

void PeerLink::OnEnded(StreamId stream, const grpc::Status& status) {
  streams_.erase(stream);
  const std::string reason = options_.Dials()
                                 ? Explain(status, options_.peer_address, spoke_ == stream)
                                 : absl::StrCat("the connection from ", options_.peer, " (",
                                                HostOf(options_.peer_address), ") ended");
  Carry(link_.Ended(stream, reason, Loop::Now()));
}

void PeerLink::Carry(const Orders& orders) {
  for (const Order& order : orders) {
    if (std::holds_alternative<Dial>(order)) {
      Open();
    } else if (const auto* send = std::get_if<Send>(&order)) {
      if (EventStream* stream = Find(send->stream)) stream->Send(send->message);
    } else if (const auto* close = std::get_if<Close>(&order)) {
      // With the link down, PeerDisconnected has the reason.
      if (link_.IsUp()) {
        log::Warning("peer_stream_closed", {{"reason", std::string(close->why.message())}});
      }
      if (EventStream* stream = Find(close->stream)) stream->Close(close->why);
      streams_.erase(close->stream);
    } else if (const auto* report = std::get_if<Report>(&order)) {
      Tell(report->event);
    }
  }
  wake_.reset();
  const absl::Time at = link_.WakeAt();
  if (events_ == nullptr || at == absl::InfiniteFuture()) return;
  wake_ = loop_.After(std::max(at - Loop::Now(), absl::ZeroDuration()),
                      [this] { Carry(link_.Woke(Loop::Now())); });
}

void PeerLink::Open() {
  // The waiting is ours (Link), the channel shall not add its own.
  grpc::experimental::ChannelResetConnectionBackoff(channel_.get());
  std::unique_ptr<EventStream> stream = DialStream(inlet_, channel_);
  const StreamId id = stream->id();
  stream->Read();
  streams_[id] = std::move(stream);
  Carry(link_.Opened(id, Direction::kDialed, Loop::Now()));
}

void PeerLink::Tell(const core::Event& event) {
  if (events_ != nullptr) events_->Report(event);
}

EventStream* PeerLink::Find(StreamId stream) {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? nullptr : found->second.get();
}

}  // namespace zcluster::peer
