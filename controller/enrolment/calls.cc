// SPDX-License-Identifier: Apache-2.0
#include "controller/enrolment/calls.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/resource_quota.h>

#include <utility>

#include "common/access/unary_answer.h"
#include "common/grpc_address.h"
#include "common/listen.h"
#include "common/pki.h"
#include "common/standard_services.h"
#include "common/status.h"
#include "controller/enrolment/proof.h"
#include "zcluster/v1/enrolment.grpc.pb.h"

namespace zcluster::controller {
namespace {

// An honest caller has one.
constexpr int kStreamsOfAConnection = 2;
constexpr int kMaxHeaderBytes = 4 << 10;
constexpr int kMaxMessageBytes = 64 << 10;
constexpr int kHandshakeMs = 5000;
// A connection on which nothing is asked.
constexpr int kIdleMs = 10'000;
// A wire that died under a call is noticed within so long, twice.
constexpr int kKeepaliveMs = 10'000;
// All that strangers can make gRPC hold.
constexpr size_t kMemory = 32 << 20;

absl::StatusOr<EnrolCall> Read(const grpc::CallbackServerContext& context,
                               const v1::EnrolRequest& request) {
  ZC_RETURN_IF_ERROR(CheckShape(request));
  EnrolCall call{request, "", HostOf(context.peer())};
  const std::vector<grpc::string_ref> shown =
      context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (shown.size() != 1) return absl::UnauthenticatedError("there is no certificate");
  ZC_ASSIGN_OR_RETURN(call.caller_key, pki::CertificateFingerprint(
                                           absl::string_view(shown[0].data(), shown[0].size())));
  return call;
}

class EnrolService final : public v1::EnrolmentService::CallbackService {
 public:
  explicit EnrolService(std::shared_ptr<EnrolGate> gate) : gate_(std::move(gate)) {}
  grpc::ServerUnaryReactor* Enrol(grpc::CallbackServerContext* context,
                                  const v1::EnrolRequest* request,
                                  v1::EnrolResponse* response) override {
    const std::shared_ptr<access::UnaryAnswer> answer = access::UnaryAnswer::Make();
    access::UnaryAnswer* const reactor = answer.get();
    absl::StatusOr<EnrolCall> call = Read(*context, *request);
    if (call.ok()) {
      gate_->Hand(*std::move(call), answer, response);
    } else {
      answer->Close(call.status());
    }
    return reactor;
  }

 private:
  const std::shared_ptr<EnrolGate> gate_;
};

// One of the places for calls; given back when the last of whoever works on it lets go.
class Place {
 public:
  static std::shared_ptr<Place> Take(const std::shared_ptr<std::atomic<int>>& busy, int most) {
    if (busy->fetch_add(1) < most) return std::make_shared<Place>(busy);
    busy->fetch_sub(1);
    return nullptr;
  }
  explicit Place(std::shared_ptr<std::atomic<int>> busy) : busy_(std::move(busy)) {}
  ~Place() { busy_->fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  const std::shared_ptr<std::atomic<int>> busy_;
};

const absl::Status& Stopping() {
  static const absl::Status& status =
      *new absl::Status(absl::StatusCode::kUnavailable, "the controller is stopping");
  return status;
}

}  // namespace

EnrolGate::EnrolGate(Loop& loop, AnswerEnrol answer)
    : post_(loop.MakePoster()),
      answer_(std::move(answer)),
      there_(std::make_shared<bool>(true)),
      busy_(std::make_shared<std::atomic<int>>(0)) {}

void EnrolGate::Hand(EnrolCall call, const std::shared_ptr<access::UnaryAnswer>& answer,
                     v1::EnrolResponse* response) {
  std::shared_ptr<Place> place = Place::Take(busy_, kMostCalls);
  if (place == nullptr) {
    return answer->Close(
        absl::UnavailableError("too many nodes enrol at once; try again in a few seconds"));
  }
  if (!Remember(answer)) return answer->Close(Stopping());
  const auto shared = std::make_shared<EnrolCall>(std::move(call));
  const bool posted = post_([there = there_, decide = answer_, shared, answer, response, place] {
    if (!*there) return answer->Close(Stopping());
    decide(std::move(*shared), [answer, response, place](absl::StatusOr<v1::EnrolResponse> given) {
      answer->Give(std::move(given), response);
    });
  });
  if (!posted) answer->Close(Stopping());
}

bool EnrolGate::Remember(const std::shared_ptr<access::UnaryAnswer>& answer) {
  absl::MutexLock lock(&mutex_);
  if (shut_) return false;
  // As many as there are places, and those that have ended meanwhile.
  std::erase_if(open_, [](const auto& one) { return one.expired(); });
  open_.push_back(answer);
  return true;
}

void EnrolGate::Shut() {
  *there_ = false;
  std::vector<std::weak_ptr<access::UnaryAnswer>> open;
  {
    absl::MutexLock lock(&mutex_);
    shut_ = true;
    open.swap(open_);
  }
  for (const auto& one : open) {
    if (const auto answer = one.lock(); answer != nullptr) answer->Close(Stopping());
  }
}

std::unique_ptr<grpc::Service> MakeEnrolService(std::shared_ptr<EnrolGate> gate) {
  return std::make_unique<EnrolService>(std::move(gate));
}

absl::StatusOr<std::unique_ptr<grpc::Server>> StartEnrolServer(grpc::Service& service,
                                                               const std::string& listen,
                                                               const tls::Credential& own,
                                                               int& bound) {
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsOfAConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxHeaderBytes);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  grpc::ResourceQuota quota;
  builder.SetResourceQuota(quota.Resize(kMemory));
  NoStandardServices(builder);  // strangers get neither
  builder.RegisterService(&service);
  builder.AddListeningPort(listen, tls::KeyedServerCredentials(own), &bound);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || bound == 0) return WhyNotListening(listen);
  return server;
}

}  // namespace zcluster::controller
