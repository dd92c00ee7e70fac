// SPDX-License-Identifier: Apache-2.0
#include "controller/api/fleet_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/access/unary_answer.h"
#include "common/status.h"
#include "controller/api/events_source.h"
#include "controller/api/flows_source.h"
#include "controller/api/in_words.h"
#include "controller/api/watch_source.h"
#include "controller/core/names.h"
#include "controller/core/order.h"
#include "controller/core/selector.h"

namespace zcluster::controller {
namespace {

constexpr absl::Duration kDefaultLifetime = absl::Hours(1);
constexpr uint32_t kDefaultEvents = 100;
constexpr uint32_t kMaxEvents = 10'000;
constexpr int kMaxPairs = 10'000;  // that are named in one question
constexpr uint32_t kDefaultFlows = 100;
constexpr uint32_t kMaxFlows = 1000;

Enrolment::Wanted WantedOf(const v1::FleetTokenRequest& request) {
  Enrolment::Wanted wanted;
  wanted.pair = request.pair();
  wanted.labels = {request.labels().begin(), request.labels().end()};
  wanted.lifetime = request.has_lifetime() ? absl::Seconds(request.lifetime().seconds()) +
                                                 absl::Nanoseconds(request.lifetime().nanos())
                                           : kDefaultLifetime;
  return wanted;
}

absl::Status Stopping() { return absl::UnavailableError("the controller is stopping"); }

}  // namespace

void FleetService::Stop() { sources_->CloseAll(Stopping()); }

grpc::ServerUnaryReactor* FleetService::Token(grpc::CallbackServerContext* context,
                                              const v1::FleetTokenRequest* request,
                                              v1::FleetTokenResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.FleetService/Token", InWords(*request)}, answer,
            [this, answer, response, wanted = WantedOf(*request)] {
              enrolment_.MakeToken(
                  wanted, [answer, response](absl::StatusOr<Enrolment::Made> made) {
                    answer->Give(made.status(), [&] {
                      response->set_token(std::move(made->token));
                      response->mutable_expires()->set_seconds(absl::ToUnixSeconds(made->expires));
                    });
                  });
            });
  return answer.get();
}

absl::StatusOr<v1::ListPairsResponse> FleetService::ListOf(
    const v1::ListPairsRequest& request) const {
  ZC_ASSIGN_OR_RETURN(const Selector selector, Selector::Parse(request.selector()));
  std::vector<const v1::PairSummary*> matching = hub_.fleet().Matching(selector);
  v1::ListPairsResponse response;
  response.set_total(matching.size());
  ZC_ASSIGN_OR_RETURN(const Page page, PageOf(std::move(matching), request));
  const absl::Time now = Loop::Now();
  for (const v1::PairSummary* pair : page.pairs)
    *response.add_pairs() = hub_.fleet().Show(*pair, now);
  response.set_next_page(page.next);
  return response;
}

grpc::ServerUnaryReactor* FleetService::List(grpc::CallbackServerContext* context,
                                             const v1::ListPairsRequest* request,
                                             v1::ListPairsResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.FleetService/List"}, answer,
            [this, answer, response, asked = *request] { answer->Give(ListOf(asked), response); });
  return answer.get();
}

grpc::ServerUnaryReactor* FleetService::Show(grpc::CallbackServerContext* context,
                                             const v1::ShowPairRequest* request,
                                             v1::ShowPairResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.FleetService/Show"}, answer,
            [this, answer, response, pair = request->pair()] {
              hub_.Show(pair, [answer, response](absl::StatusOr<v1::ShowPairResponse> shown) {
                answer->Give(std::move(shown), response);
              });
            });
  return answer.get();
}

grpc::ServerWriteReactor<v1::PairChanges>* FleetService::Watch(
    grpc::CallbackServerContext* context, const v1::WatchPairsRequest* request) {
  auto stream = WatchSource::Stream::Make(loop_);
  desk_.Ask({*context, "zcluster.v1.FleetService/Watch"}, stream,
            [this, stream, text = request->selector()] {
              absl::StatusOr<Selector> selector = Selector::Parse(text);
              if (!selector.ok()) return stream->Close(selector.status());
              if (const absl::Status room = sources_->Room(); !room.ok())
                return stream->Close(room);
              WatchSource::Begin(loop_, hub_, sources_, *std::move(selector), stream);
            });
  return stream.get();
}

absl::StatusOr<Store::Query> FleetService::QueryOf(const v1::FleetEventsRequest& request,
                                                   bool* none) const {
  if (request.limit() > kMaxEvents) {
    return absl::InvalidArgumentError(
        absl::StrCat("limit: is ", request.limit(), "; at most ", kMaxEvents));
  }
  if (request.pairs_size() > kMaxPairs) {
    return absl::InvalidArgumentError(
        absl::StrCat("pairs: there are ", request.pairs_size(), "; at most ", kMaxPairs));
  }
  ZC_ASSIGN_OR_RETURN(const Selector selector, Selector::Parse(request.selector()));
  Store::Query query;
  for (const std::string& pair : request.pairs()) {
    // Not whether it is there: the events of one that was forgotten stay.
    ZC_RETURN_IF_ERROR(Annotate(CheckPairName(pair), "pairs"));
    query.pairs.push_back(pair);
  }
  if (query.pairs.empty() && !selector.all()) {
    for (const v1::PairSummary* pair : hub_.fleet().Matching(selector))
      query.pairs.push_back(pair->name());
    *none = query.pairs.empty();  // to the store it would mean all
  }
  query.after = request.after();
  if (request.has_since()) {
    query.since = absl::FromUnixSeconds(request.since().seconds()) +
                  absl::Nanoseconds(request.since().nanos());
  }
  query.warnings = request.warnings();
  query.limit = request.limit() == 0 ? kDefaultEvents : request.limit();
  return query;
}

grpc::ServerWriteReactor<v1::FleetEvents>* FleetService::Events(
    grpc::CallbackServerContext* context, const v1::FleetEventsRequest* request) {
  auto stream = EventsSource::Stream::Make(loop_);
  desk_.Ask({*context, "zcluster.v1.FleetService/Events"}, stream,
            [this, stream, asked = *request] {
              bool none = false;
              absl::StatusOr<Store::Query> query = QueryOf(asked, &none);
              if (!query.ok()) return stream->Close(query.status());
              if (none) {
                return stream->Close(absl::NotFoundError(
                    absl::StrCat("selector: no pair matches '", asked.selector(), "'")));
              }
              if (const absl::Status room = sources_->Room(); !room.ok())
                return stream->Close(room);
              EventsSource::Begin(hub_, sources_, *std::move(query), asked.follow(), stream);
            });
  return stream.get();
}

grpc::ServerWriteReactor<v1::FlowsSeen>* FleetService::Flows(grpc::CallbackServerContext* context,
                                                             const v1::FleetFlowsRequest* request) {
  auto stream = FlowsSource::Stream::Make(loop_);
  desk_.Ask({*context, "zcluster.v1.FleetService/Flows"}, stream, [this, stream, asked = *request] {
    absl::Status status = hub_.FindPair(asked.pair()).status();
    if (status.ok() && asked.max_per_second() > kMaxFlows) {
      status = absl::InvalidArgumentError(
          absl::StrCat("max_per_second: is ", asked.max_per_second(), "; at most ", kMaxFlows));
    }
    if (status.ok()) status = sources_->Room();
    if (!status.ok()) return stream->Close(status);
    const uint32_t most = asked.max_per_second() == 0 ? kDefaultFlows : asked.max_per_second();
    FlowsSource::Begin(hub_, sources_, asked.pair(), most, stream);
  });
  return stream.get();
}

grpc::ServerUnaryReactor* FleetService::Label(grpc::CallbackServerContext* context,
                                              const v1::LabelPairRequest* request,
                                              v1::LabelPairResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.FleetService/Label", InWords(*request)}, answer,
            [this, answer, response, asked = *request] {
              hub_.Label(asked, [answer, response](absl::StatusOr<v1::LabelPairResponse> labels) {
                answer->Give(std::move(labels), response);
              });
            });
  return answer.get();
}

grpc::ServerUnaryReactor* FleetService::Forget(grpc::CallbackServerContext* context,
                                               const v1::ForgetPairRequest* request,
                                               v1::ForgetPairResponse*) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.FleetService/Forget", InWords(*request)}, answer,
            [this, answer, asked = *request] {
              hub_.Forget(asked, [answer](const absl::Status& status) { answer->Close(status); });
            });
  return answer.get();
}

}  // namespace zcluster::controller
