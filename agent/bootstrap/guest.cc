// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/guest.h"

#include <grpcpp/support/status.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/pki.h"

namespace zcluster::bootstrap {
namespace {

// From the first byte to being let in.
constexpr absl::Duration kPatience = absl::Seconds(10);

}  // namespace

Guest::Guest(Loop& loop, House& house, Doorman& doorman, JoinHandler& handler,
             std::unique_ptr<Stream> stream, token::Session session, std::string from)
    : house_(house),
      doorman_(doorman),
      handler_(handler),
      stream_(std::move(stream)),
      session_(std::move(session)),
      from_(std::move(from)) {
  stream_->Listen(*this);
  patience_ = loop.After(kPatience, [this] {
    Leave(absl::DeadlineExceededError(
        absl::StrCat("not let in within ", absl::FormatDuration(kPatience))));
  });
  stream_->Read();
}

Guest::~Guest() { EndJoin(); }

void Guest::Leave(const absl::Status& why) {
  if (stream_ == nullptr) return;
  const std::shared_ptr<Guest> self = shared_from_this();
  patience_.reset();
  std::exchange(stream_, nullptr)->End(why);
  if (EndJoin()) {
    log::Info("join_ended", {{"from", from_}, {"reason", std::string(why.message())}});
  }
  house_.Gone(*this);
}

bool Guest::EndJoin() {
  if (!std::exchange(in_, false)) return false;
  handler_.End();
  return true;
}

void Guest::OnHeard(const Received& message) {
  const std::shared_ptr<Guest> self = shared_from_this();
  v1::JoinRequest request;
  if (!message.Parse(request)) return Leave(absl::InvalidArgumentError("an unreadable message"));
  const bool is_admission = request.kind_case() == v1::JoinRequest::kAdmission;
  if (is_admission && request.admission().has_password()) scrubbing_.emplace();
  if (is_admission == spoke_) {
    // Its secrets are wiped on every way out.
    if (request.has_admission() && request.admission().has_password())
      pki::Wipe(*request.mutable_admission()->mutable_password());
    if (request.has_install()) pki::Wipe(*request.mutable_install()->mutable_ca_key());
    return Leave(absl::InvalidArgumentError(spoke_ ? "an admission comes once"
                                                   : "the first message must be an admission"));
  }
  if (is_admission) return Admit(request);
  Carry(request);
  if (request.has_install()) pki::Wipe(*request.mutable_install()->mutable_ca_key());
}

void Guest::OnWritten() { stream_->Read(); }

void Guest::OnEnded(const grpc::Status&) { Leave(absl::CancelledError("the caller has gone")); }

void Guest::Admit(v1::JoinRequest& request) {
  spoke_ = true;
  by_ = request.admission().has_password() ? "password" : "token";
  if (const absl::Status room = house_.RoomFor(*this); !room.ok()) {
    if (request.admission().has_password())
      pki::Wipe(*request.mutable_admission()->mutable_password());
    return Leave(room);
  }
  doorman_.Judge(*request.mutable_admission(), session_, from_,
                 [weak = weak_from_this()](const absl::Status& verdict) {
                   if (const auto self = weak.lock()) self->Judged(verdict);
                 });
}

void Guest::Judged(const absl::Status& verdict) {
  if (stream_ == nullptr) return;
  if (!verdict.ok()) return Leave(verdict);
  // Somebody else may have come in while PAM was asked.
  if (const absl::Status room = house_.RoomFor(*this); !room.ok()) return Leave(room);
  if (const absl::Status begun = handler_.Begin(from_); !begun.ok()) return Leave(begun);
  in_ = true;
  patience_.reset();
  log::Info("join_admitted", {{"from", from_}, {"by", by_}, {"key", session_.caller}});
  v1::JoinReply reply;
  reply.mutable_admitted();
  stream_->Write(Seal(reply));
}

void Guest::Carry(v1::JoinRequest& request) {
  if (request.kind_case() == v1::JoinRequest::KIND_NOT_SET) {
    return Leave(absl::InvalidArgumentError(
        "a message that this node does not know (is its zcluster older?)"));
  }
  carrying_ = true;
  owed_ = true;
  handler_.Carry(request, [weak = weak_from_this()](absl::StatusOr<v1::JoinReply> reply) {
    const auto self = weak.lock();
    if (self == nullptr || !std::exchange(self->owed_, false)) return;
    // The handler is not told of the end inside its own call.
    if (self->carrying_) {
      self->early_ = std::move(reply);
    } else {
      self->Answer(reply);
    }
  });
  carrying_ = false;
  if (early_.has_value()) Answer(*std::exchange(early_, absl::nullopt));
}

void Guest::Answer(const absl::StatusOr<v1::JoinReply>& reply) {
  if (stream_ == nullptr) return;
  if (!reply.ok()) return Leave(reply.status());
  stream_->Write(Seal(*reply));
}

}  // namespace zcluster::bootstrap
