// SPDX-License-Identifier: Apache-2.0
// FlowService/Verify and FlowService/Repair: the two tables compared, and made the same.
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/conntrack/flow_service.h"
#include "agent/conntrack/peer_table.h"
#include "agent/conntrack/verification.h"
#include "common/access/unary_answer.h"

namespace zcluster::conntrack {

bool FlowService::Start(const std::shared_ptr<access::Client>& client,
                        std::function<void(Halt&)> work) {
  if (jobs_.Start(std::move(work))) return true;
  client->Close(absl::ResourceExhaustedError(
      absl::StrCat(kMaxJobs,
                   " calls read this node's table already; try again when one has "
                   "ended")));
  return false;
}

grpc::ServerWriteReactor<v1::VerifyFlowsProgress>* FlowService::Verify(
    grpc::CallbackServerContext* context, const v1::VerifyFlowsRequest* request) {
  auto stream = Verified::Make();
  const uint32_t limit = request->limit() == 0 ? kDefaultDifferences : request->limit();
  desk_.Ask({*context, "zcluster.v1.FlowService/Verify"}, stream,
            [this, stream, limit] { BeginVerify(stream, limit); });
  return stream.get();
}

void FlowService::BeginVerify(const std::shared_ptr<Verified>& stream, uint32_t limit) {
  if (limit > kMostDifferences) {
    return stream->Close(absl::InvalidArgumentError(
        absl::StrCat("limit: ", limit, ": use 1 to ", kMostDifferences)));
  }
  if (verifying_) {
    return stream->Close(absl::ResourceExhaustedError(
        "this node compares the tables already; try again when that has ended"));
  }
  absl::StatusOr<Standing> standing = subject_.pairing.standing();
  if (!standing.ok()) return stream->Close(standing.status());
  Verification verification{*std::move(standing), subject_.peer, limit, nullptr,
                            [stream](std::string step) {
                              v1::VerifyFlowsProgress message;
                              message.set_step(std::move(step));
                              stream->Write(std::move(message));
                            }};
  verifying_ = Start(stream, [this, stream, mail = subject_.mail, pairing = subject_.pairing,
                              verification = std::move(verification)](Halt& halt) mutable {
    verification.settle = [&] { return Await(*mail, halt, pairing.settle); };
    absl::StatusOr<v1::VerifiedFlows> verified = conntrack::Verify(verification, halt);
    const absl::Status status = verified.status();
    const uint64_t differing = verified.ok() ? verified->differing() + verified->unexamined() : 0;
    // Before the answer: whoever has it may ask for the next.
    mail->Post([this, pairing, status, differing] {
      verifying_ = false;
      if (status.ok()) pairing.verified(differing);
    });
    if (verified.ok()) {
      v1::VerifyFlowsProgress message;
      *message.mutable_result() = *std::move(verified);
      stream->Write(std::move(message));
    }
    stream->Close(status);
  });
}

grpc::ServerUnaryReactor* FlowService::Repair(grpc::CallbackServerContext* context,
                                              const v1::RepairFlowsRequest*,
                                              v1::RepairFlowsResponse*) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.FlowService/Repair"}, answer,
            [this, answer] { BeginRepair(answer); });
  return answer.get();
}

void FlowService::BeginRepair(const std::shared_ptr<access::Client>& client) {
  const absl::StatusOr<Standing> standing = subject_.pairing.standing();
  if (!standing.ok()) return client->Close(standing.status());
  if (standing->is_master) {
    return subject_.pairing.resynchronise(
        [client](const absl::Status& status) { client->Close(status); });
  }
  Start(client, [client, peer = subject_.peer](Halt& halt) {
    client->Close(PeerTable(peer, halt).Resynchronise());
  });
}

}  // namespace zcluster::conntrack
