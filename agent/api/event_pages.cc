// SPDX-License-Identifier: Apache-2.0
#include "agent/api/event_pages.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/wire/wire.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::api {
namespace {

// Longer would only keep an operator waiting for a peer that is not well.
constexpr std::chrono::seconds kPatience(2);
// A journal's page has at most 128 KiB of events; a peer that sends more is broken.
constexpr size_t kMaxPageBytes = 256 << 10;

// A question to the peer, until it is answered.
struct Question {
  std::unique_ptr<v1::ClusterService::Stub> stub;
  grpc::ClientContext context;
  v1::EventsRequest request;
  v1::EventsPage page;
  absl::Time asked;
};

absl::StatusOr<v1::EventsPage> Outcome(const std::string& name, const grpc::Status& status,
                                       Question& question) {
  const absl::Time now = absl::Now();
  if (!status.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " cannot be asked for its events: ", status.error_message()));
  }
  v1::EventsPage page = std::move(question.page);
  if (page.ByteSizeLong() > kMaxPageBytes ||
      page.events_size() > static_cast<int>(EventPages::kMaxLimit)) {
    return absl::InternalError(absl::StrCat(
        name, " sent ", page.events_size(), " events, ", page.ByteSizeLong(), " bytes; at most ",
        EventPages::kMaxLimit, " and ", kMaxPageBytes, " are allowed"));
  }
  // By its certificate it is that one, whatever it calls itself.
  page.set_node(name);
  const ClockReading clock = ReadClock(question.asked, wire::FromProto(page.asked_at()),
                                       wire::FromProto(page.answered_at()), now);
  *page.mutable_clock_ahead() = wire::ToProto(clock.ahead);
  *page.mutable_clock_uncertainty() = wire::ToProto(clock.uncertainty);
  return page;
}

}  // namespace

void EventPages::Read(const v1::EventsRequest& request, absl::Time asked_at,
                      EventsAnswer answer) const {
  if (request.limit() > kMaxLimit) {
    return answer(absl::InvalidArgumentError(
        absl::StrCat("limit: ", request.limit(), ": use 1 to ", kMaxLimit)));
  }
  v1::EventsPage page;
  page.set_node(board_.options().node_name);
  *page.mutable_asked_at() = wire::ToProto(asked_at);
  if (journal_ != nullptr) {
    page.set_journal(journal_->id());
    page.set_first(journal_->first());
    page.set_last(journal_->last());
  }
  // Nothing new: whoever follows asks often, and shall not keep the disk busy.
  if (request.after() >= page.last()) {
    *page.mutable_answered_at() = wire::ToProto(absl::Now());
    return answer(std::move(page));
  }
  const uint32_t limit = request.limit() == 0 ? kMaxLimit : request.limit();
  journal_->Read(request.after(), limit,
                 [page = std::move(page),
                  answer = std::move(answer)](absl::StatusOr<v1::EventBatch> batch) mutable {
                   if (!batch.ok()) return answer(batch.status());
                   page.mutable_events()->Swap(batch->mutable_events());
                   *page.mutable_answered_at() = wire::ToProto(absl::Now());
                   answer(std::move(page));
                 });
}

void AskPeerForEvents(const std::shared_ptr<grpc::Channel>& peer, const std::string& name,
                      const v1::EventsRequest& request, EventsAnswer answer) {
  if (peer == nullptr) {
    return answer(absl::FailedPreconditionError(
        absl::StrCat(name, " cannot be asked for its events: there is no way to it")));
  }
  auto question = std::make_shared<Question>();
  question->stub = v1::ClusterService::NewStub(peer);
  question->context.set_deadline(std::chrono::system_clock::now() + kPatience);
  question->request = request;
  question->request.set_peer(false);
  question->asked = absl::Now();
  question->stub->async()->Events(
      &question->context, &question->request, &question->page,
      [question, name, answer = std::move(answer)](const grpc::Status& status) {
        answer(Outcome(name, status, *question));
      });
}

ClockReading ReadClock(absl::Time asked, absl::Time there_asked, absl::Time there_answered,
                       absl::Time answered) {
  const absl::Duration on_the_way = (answered - asked) - (there_answered - there_asked);
  return {((there_asked - asked) + (there_answered - answered)) / 2,
          std::max(on_the_way / 2, absl::ZeroDuration())};
}

}  // namespace zcluster::api
