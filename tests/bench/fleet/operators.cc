// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/fleet/operators.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "tests/bench/fleet/samples.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::fleet_bench {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
// A call that is refused ends within it; one that is taken may tell nothing before the first event.
constexpr absl::Duration kBegin = absl::Seconds(1);
constexpr absl::Duration kTokenLifetime = absl::Hours(1);
// A page of a thousand pairs is some 500 KiB.
constexpr int kMaxMessageBytes = 16 << 20;

std::shared_ptr<grpc::Channel> Connect(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  return grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
}

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace

Operator::Operator(const std::string& socket) : channel_(Connect(socket)) {}

absl::StatusOr<std::string> Operator::MakeToken(const std::string& pair) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::FleetTokenRequest request;
  request.set_pair(pair);
  request.mutable_lifetime()->set_seconds(absl::ToInt64Seconds(kTokenLifetime));
  v1::FleetTokenResponse response;
  const auto stub = v1::FleetService::NewStub(channel_);
  ZC_RETURN_IF_ERROR(
      Annotate(ToAbsl(stub->Token(&context, request, &response)), "FleetService/Token"));
  return response.token();
}

absl::StatusOr<std::vector<v1::PairSummary>> Operator::List() {
  const auto stub = v1::FleetService::NewStub(channel_);
  std::vector<v1::PairSummary> pairs;
  v1::ListPairsRequest request;
  do {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::ListPairsResponse response;
    ZC_RETURN_IF_ERROR(
        Annotate(ToAbsl(stub->List(&context, request, &response)), "FleetService/List"));
    for (v1::PairSummary& pair : *response.mutable_pairs()) pairs.push_back(std::move(pair));
    request.set_page(response.next_page());
  } while (!request.page().empty());
  return pairs;
}

Follower::Follower(const std::string& socket)
    : channel_(Connect(socket)), context_(std::make_unique<grpc::ClientContext>()) {}

absl::StatusOr<std::unique_ptr<Follower>> Follower::Start(const std::string& socket) {
  std::unique_ptr<Follower> follower(new Follower(socket));
  follower->thread_ = std::thread([raw = follower.get()] { raw->Follow(); });
  absl::MutexLock lock(&follower->mutex_);
  follower->mutex_.AwaitWithTimeout(absl::Condition(&follower->began_), kBegin);
  if (follower->ended_) return Annotate(follower->end_, "FleetService/Events");
  return follower;
}

Follower::~Follower() {
  context_->TryCancel();
  if (thread_.joinable()) thread_.join();
}

void Follower::Follow() {
  v1::FleetEventsRequest request;
  request.set_limit(1);
  request.set_follow(true);
  const auto stub = v1::FleetService::NewStub(channel_);
  const auto reader = stub->Events(context_.get(), request);
  reader->WaitForInitialMetadata();
  {
    absl::MutexLock lock(&mutex_);
    began_ = true;
  }
  v1::FleetEvents events;
  while (reader->Read(&events)) Look(events);
  const absl::Status status = ToAbsl(reader->Finish());
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  end_ = status.ok() ? absl::UnavailableError("the controller ended the call") : status;
}

void Follower::Look(const v1::FleetEvents& events) {
  absl::MutexLock lock(&mutex_);
  for (const v1::FleetEvent& event : events.events()) {
    if (const absl::optional<absl::Duration> age = AgeOf(event.event())) {
      latencies_.push_back(*age);
      ++seen_;
    }
  }
}

absl::Status Follower::end() const {
  absl::MutexLock lock(&mutex_);
  return end_;
}

std::vector<absl::Duration> Follower::TakeLatencies() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(latencies_, {});
}

}  // namespace zcluster::fleet_bench
