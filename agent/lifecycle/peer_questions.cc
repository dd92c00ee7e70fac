// SPDX-License-Identifier: Apache-2.0
// What the peer's agent asks of this one, over the link.
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/identity/identity.h"
#include "agent/lifecycle/journal.h"
#include "agent/lifecycle/lifecycle.h"
#include "common/file.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/status.h"

namespace zcluster::lifecycle {
namespace {

constexpr size_t kMaxPem = 256 << 10;

absl::StatusOr<absl::Time> ExpiryOf(const std::string& certificate_file) {
  ZC_ASSIGN_OR_RETURN(const std::string certificate, ReadFile(certificate_file, kMaxPem));
  ZC_ASSIGN_OR_RETURN(const pki::Validity validity, pki::ValidityOf(certificate));
  return validity.to;
}

}  // namespace

void Lifecycle::Propose(const v1::ProposeRequest& request,
                        PeerQuestions::Reply<v1::ProposeResponse> answer) {
  if (const absl::Status member = CheckMember(); !member.ok()) return answer(member);
  configuration_->Propose(request, [answer](const absl::Status& status) {
    if (!status.ok()) return answer(status);
    answer(v1::ProposeResponse());
  });
}

void Lifecycle::Commit(const v1::CommitRequest& request,
                       PeerQuestions::Reply<v1::CommitResponse> answer) {
  if (const absl::Status member = CheckMember(); !member.ok()) return answer(member);
  configuration_->Commit(request, [answer](const absl::Status& status) {
    if (!status.ok()) return answer(status);
    answer(v1::CommitResponse());
  });
}

void Lifecycle::Abandon(const v1::AbandonRequest& request,
                        PeerQuestions::Reply<v1::AbandonResponse> answer) {
  absl::Status status = CheckMember();
  if (status.ok()) status = configuration_->Abandon(request);
  if (!status.ok()) return answer(status);
  answer(v1::AbandonResponse());
}

void Lifecycle::Fetch(const v1::FetchRequest& request,
                      PeerQuestions::Reply<v1::FetchResponse> answer) {
  if (const absl::Status member = CheckMember(); !member.ok()) return answer(member);
  v1::FetchResponse response = configuration_->Fetch(request);
  const config::AgentSettings& self = configuration_->settings().agent;
  const std::string file =
      !self.tls_given ? identity::FilesIn(paths_.IdentityDir()).certificate : self.certificate;
  if (const absl::StatusOr<absl::Time> expires = ExpiryOf(file); expires.ok()) {
    response.mutable_certificate_expires()->set_seconds(absl::ToUnixSeconds(*expires));
  }
  answer(std::move(response));
}

void Lifecycle::Outcome(const v1::OutcomeRequest& request,
                        PeerQuestions::Reply<v1::OutcomeResponse> answer) {
  v1::OutcomeResponse response;
  const absl::StatusOr<v1::Journal> journal = ReadJournal(paths_.JournalFile());
  if (!journal.ok()) return answer(journal.status());
  if (journal->id() == request.id()) {
    response.set_outcome(journal->phase() == v1::Journal::PHASE_MEMBER
                             ? v1::CREATE_OUTCOME_COMMITTED
                             : v1::CREATE_OUTCOME_UNDER_WAY);
  }
  answer(response);
}

void Lifecycle::Leave(const v1::LeaveRequest&, PeerQuestions::Reply<v1::LeaveResponse> answer) {
  if (const absl::Status member = CheckMember(); !member.ok()) return answer(member);
  log::Info("leave_asked", {{"by", self_.peer_name}});
  leaving_ = std::make_unique<Leaving>(
      loop_, node_, paths_, configuration_->settings(), /*local=*/true,
      [this](Leaving::Done done) { GiveBack(std::move(done)); }, [](const std::string&) {},
      [this, answer = std::move(answer)](const absl::Status& status) {
        if (status.ok()) {
          answer(v1::LeaveResponse());
        } else {
          answer(status);
        }
        loop_.Post([this] { leaving_.reset(); });
      });
}

}  // namespace zcluster::lifecycle
