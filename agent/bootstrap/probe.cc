// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "agent/bootstrap/bootstrap.h"
#include "agent/bootstrap/channel.h"
#include "common/credential.h"
#include "common/inlet.h"

namespace zcluster::bootstrap {
namespace {

constexpr std::chrono::seconds kLimit(5);

using Answer = std::function<void(absl::StatusOr<std::string>)>;

// What the handshake showed.
struct Seen {
  absl::Mutex mutex;
  std::string fingerprint ABSL_GUARDED_BY(mutex);
};

// A call that never comes about: whoever answers shows its key, and the handshake ends there. It
// belongs to nobody, may outlive the loop, and lets go of itself.
class Call final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Call(Loop& loop, std::string address, const tls::Credential& own, Answer answer)
      : post_(loop.MakePoster()),
        address_(std::move(address)),
        answer_(std::move(answer)),
        seen_(std::make_shared<Seen>()),
        stub_(MakeChannel(address_, own, [seen = seen_](const std::string& shown) {
          absl::MutexLock lock(&seen->mutex);
          seen->fingerprint = shown;
          return absl::UnauthenticatedError("seen");
        })) {
    context_.set_deadline(std::chrono::system_clock::now() + kLimit);
    stub_.PrepareBidiStreamingCall(&context_, "/zcluster.v1.BootstrapService/Join", {}, this);
    StartCall();
  }

  void OnDone(const grpc::Status& status) override {
    post_([answer = std::move(answer_), found = Found(status)] { answer(found); });
    LetGo(post_, std::shared_ptr<Call>(this));
  }

 private:
  absl::StatusOr<std::string> Found(const grpc::Status& status) const {
    {
      absl::MutexLock lock(&seen_->mutex);
      if (!seen_->fingerprint.empty()) return seen_->fingerprint;
    }
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      return absl::UnavailableError(
          absl::StrCat("no answer from ", address_, " within ", kLimit.count(), " s"));
    }
    return WhyEnded(status, address_);
  }

  const Loop::Poster post_;
  const std::string address_;
  Answer answer_;
  const std::shared_ptr<Seen> seen_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
};

}  // namespace

void Probe(Loop& loop, const std::string& address,
           std::function<void(absl::StatusOr<std::string>)> answer) {
  const absl::StatusOr<tls::Credential> own = tls::MakeCredential();
  if (own.ok()) {
    new Call(loop, address, *own, std::move(answer));  // lets go of itself
  } else {
    loop.Post([answer = std::move(answer), status = own.status()] { answer(status); });
  }
}

}  // namespace zcluster::bootstrap
