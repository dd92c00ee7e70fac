// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "agent/bootstrap/bootstrap.h"
#include "agent/bootstrap/channel.h"
#include "agent/bootstrap/limits.h"
#include "agent/bootstrap/stream.h"
#include "common/credential.h"
#include "common/pki.h"
#include "common/scrubbing.h"
#include "common/status.h"
#include "common/token.h"

namespace zcluster::bootstrap {
namespace {

class Dialed final : public Join, StreamListener {
 public:
  Dialed(Loop& loop, const To& to)
      : loop_(loop), to_(to), own_(tls::MakeCredential()), inlet_(std::make_shared<Inlet>(loop)) {}
  ~Dialed() override {
    inlet_->Shut();
    if (own_.ok()) pki::Wipe(own_->key);
  }

  void Admit(std::string token_secret, std::string password, absl::Duration limit,
             Reply reply) override;
  void Ask(const v1::JoinRequest& request, absl::Duration limit, Reply reply) override;

 private:
  void Open();
  void Send(grpc::ByteBuffer message, absl::Duration limit, Reply reply);
  void Tell(const absl::StatusOr<v1::JoinReply>& what);
  void End(const absl::Status& why);
  void OnHeard(const Received& message) override;
  void OnWritten() override;
  void OnEnded(const grpc::Status& status) override { End(WhyEnded(status, to_.address)); }

  Loop& loop_;
  const To to_;
  absl::StatusOr<tls::Credential> own_;  // this join's alone
  const std::shared_ptr<Inlet> inlet_;
  std::unique_ptr<Stream> stream_;  // null before, and when it has ended
  absl::Status ended_;              // why nothing can be asked any more
  bool writing_ = false;
  absl::optional<grpc::ByteBuffer> next_;  // waits for the message before it
  Reply reply_;                            // owed
  bool admitting_ = false;                 // what is owed is the answer to the admission
  Loop::Registration limit_;
  absl::optional<Scrubbing> scrubbing_;  // since it has held a password
};

std::string OtherKey(const std::string& address, const std::string& shown,
                     const std::string& expected) {
  return absl::StrCat(address, " has the key ", shown, ", expected ", expected,
                      " (another node, or somebody in between); nothing was told to it");
}

void Dialed::Open() {
  const auto channel = MakeChannel(to_.address, *own_, [to = to_](const std::string& shown) {
    if (shown == to.fingerprint) return absl::OkStatus();
    return absl::UnauthenticatedError(OtherKey(to.address, shown, to.fingerprint));
  });
  stream_ = DialStream(inlet_, channel);
  stream_->Listen(*this);
}

void Dialed::Admit(std::string token_secret, std::string password, absl::Duration limit,
                   Reply reply) {
  v1::JoinRequest request;
  v1::Admission& admission = *request.mutable_admission();
  admission.set_version(ZC_VERSION);
  if (!own_.ok()) ended_ = own_.status();
  if (!password.empty()) {
    scrubbing_.emplace();
    // Filled up, so that nobody reads its length off the wire; see kPasswordField.
    std::string& field = *admission.mutable_password();
    field.reserve(std::max(kPasswordField, password.size()));
    field = password;
    field.resize(std::max(kPasswordField, password.size()));
  } else if (own_.ok()) {
    // The node's key is the one that the channel will demand.
    admission.set_token_proof(token::ProofOf(token::Kind::kJoin, token::HashOf(token_secret),
                                             {to_.fingerprint, own_->fingerprint}));
  }
  pki::Wipe(token_secret);
  pki::Wipe(password);
  if (ended_.ok() && stream_ != nullptr) ended_ = absl::FailedPreconditionError("asked twice");
  if (ended_.ok()) Open();
  admitting_ = true;
  Send(Seal(request), limit, std::move(reply));
  if (admission.has_password()) pki::Wipe(*admission.mutable_password());
}

void Dialed::Ask(const v1::JoinRequest& request, absl::Duration limit, Reply reply) {
  if (ended_.ok() && (stream_ == nullptr || reply_ != nullptr))
    ended_ = absl::FailedPreconditionError("asked before the answer to what came before");
  Send(Seal(request), limit, std::move(reply));
}

void Dialed::Send(grpc::ByteBuffer message, absl::Duration limit, Reply reply) {
  if (!ended_.ok()) {
    inlet_->Post([reply = std::move(reply), status = ended_] { reply(status); });
    return;
  }
  reply_ = std::move(reply);
  limit_ = loop_.After(limit, [this, limit] {
    End(absl::DeadlineExceededError(
        absl::StrCat("no answer from ", to_.address, " within ", absl::FormatDuration(limit))));
  });
  // gRPC may deliver an answer before it says that the question was written.
  if (writing_) {
    next_ = std::move(message);
  } else {
    writing_ = true;
    stream_->Write(message);
  }
  stream_->Read();
}

void Dialed::OnWritten() {
  writing_ = next_.has_value();
  if (writing_) stream_->Write(*std::exchange(next_, absl::nullopt));
}

void Dialed::OnHeard(const Received& message) {
  v1::JoinReply reply;
  const bool known = message.Parse(reply) && reply.kind_case() != v1::JoinReply::KIND_NOT_SET;
  if (!known || (admitting_ && !reply.has_admitted())) {
    return End(absl::InternalError(
        absl::StrCat(to_.address, " gave an answer that we do not know (is it another version?)")));
  }
  admitting_ = false;
  Tell(reply);
}

void Dialed::End(const absl::Status& why) {
  ended_ = why;
  stream_->End(why);
  stream_.reset();
  Tell(why);
}

void Dialed::Tell(const absl::StatusOr<v1::JoinReply>& what) {
  limit_.reset();
  // The last thing that is done: whoever is told may destroy us.
  if (const Reply reply = std::exchange(reply_, nullptr); reply != nullptr) reply(what);
}

}  // namespace

std::unique_ptr<Join> Join::Dial(Loop& loop, const To& to) {
  return std::make_unique<Dialed>(loop, to);
}

}  // namespace zcluster::bootstrap
