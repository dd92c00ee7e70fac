// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/enrol_call.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "zcluster/v1/enrolment.grpc.pb.h"

namespace zcluster::controller_link {
namespace {

// The controller writes its books to a disk, or to several.
constexpr absl::Duration kDeadline = absl::Seconds(15);

absl::Status Judge(const std::string& address, const std::string& expected,
                   const std::string& shown) {
  if (shown == expected) return absl::OkStatus();
  return absl::UnauthenticatedError(
      absl::StrCat("it has the key ", shown, ", the token is of ", expected,
                   " (another controller, or somebody in between); nothing was told to ", address));
}

// What gRPC works with; let go of on the loop.
struct Call {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::EnrolmentService::Stub> stub;
  grpc::ClientContext context;
  v1::EnrolRequest request;
  v1::EnrolResponse response;
  std::function<void(EnrolCall::Answer)> done;  // loop; null: nobody waits
};

class Dialed final : public EnrolCall {
 public:
  explicit Dialed(std::shared_ptr<Call> call) : call_(std::move(call)) {}
  ~Dialed() override {
    call_->done = nullptr;
    call_->context.TryCancel();
  }

 private:
  const std::shared_ptr<Call> call_;
};

}  // namespace

std::unique_ptr<EnrolCall> EnrolCall::Begin(std::shared_ptr<Inlet> inlet,
                                            const std::string& address, const tls::Credential& own,
                                            const std::string& fingerprint,
                                            const v1::EnrolRequest& request,
                                            std::function<void(Answer)> done) {
  auto call = std::make_shared<Call>();
  call->channel = MakeChannel(
      address, tls::KeyedClientCredentials(own, [address, fingerprint](const std::string& shown) {
        return Judge(address, fingerprint, shown);
      }));
  call->stub = v1::EnrolmentService::NewStub(call->channel);
  call->context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
  call->request = request;
  call->done = std::move(done);
  Call* raw = call.get();
  raw->stub->async()->Enrol(
      &raw->context, &raw->request, &raw->response,
      [inlet, address, held = call](const grpc::Status& status) mutable {
        inlet->Post([held, address, status] {
          if (held->done == nullptr) return;
          Answer answer{status.ok() ? Ended{absl::OkStatus(), true} : WhyEnded(status, address),
                        std::move(held->response)};
          std::exchange(held->done, nullptr)(std::move(answer));
        });
        LetGo(inlet->poster(), std::move(held));
      });
  return std::make_unique<Dialed>(std::move(call));
}

}  // namespace zcluster::controller_link
