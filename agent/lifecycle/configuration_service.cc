// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/configuration_service.h"

#include "common/access/unary_answer.h"

namespace zcluster::lifecycle {

ConfigurationService::ConfigurationService(Loop& loop, Guard& guard, PeerQuestions& answers)
    : answers_(answers), desk_(loop, guard) {}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* ConfigurationService::Ask(
    Context* context, absl::string_view method, const Request& request, Response* response,
    void (PeerQuestions::*question)(const Request&, PeerQuestions::Reply<Response>)) {
  const std::shared_ptr<access::UnaryAnswer> answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, method}, answer, [this, request, response, question, answer] {
    (answers_.*question)(request, [answer, response](absl::StatusOr<Response> given) {
      answer->Give(given.status(), [&] { *response = *std::move(given); });
    });
  });
  return answer.get();
}

grpc::ServerUnaryReactor* ConfigurationService::Propose(Context* context,
                                                        const v1::ProposeRequest* request,
                                                        v1::ProposeResponse* response) {
  return Ask(context, "zcluster.v1.ConfigurationService/Propose", *request, response,
             &PeerQuestions::Propose);
}
grpc::ServerUnaryReactor* ConfigurationService::Commit(Context* context,
                                                       const v1::CommitRequest* request,
                                                       v1::CommitResponse* response) {
  return Ask(context, "zcluster.v1.ConfigurationService/Commit", *request, response,
             &PeerQuestions::Commit);
}
grpc::ServerUnaryReactor* ConfigurationService::Abandon(Context* context,
                                                        const v1::AbandonRequest* request,
                                                        v1::AbandonResponse* response) {
  return Ask(context, "zcluster.v1.ConfigurationService/Abandon", *request, response,
             &PeerQuestions::Abandon);
}
grpc::ServerUnaryReactor* ConfigurationService::Fetch(Context* context,
                                                      const v1::FetchRequest* request,
                                                      v1::FetchResponse* response) {
  return Ask(context, "zcluster.v1.ConfigurationService/Fetch", *request, response,
             &PeerQuestions::Fetch);
}
grpc::ServerUnaryReactor* ConfigurationService::Outcome(Context* context,
                                                        const v1::OutcomeRequest* request,
                                                        v1::OutcomeResponse* response) {
  return Ask(context, "zcluster.v1.ConfigurationService/Outcome", *request, response,
             &PeerQuestions::Outcome);
}
grpc::ServerUnaryReactor* ConfigurationService::Leave(Context* context,
                                                      const v1::LeaveRequest* request,
                                                      v1::LeaveResponse* response) {
  return Ask(context, "zcluster.v1.ConfigurationService/Leave", *request, response,
             &PeerQuestions::Leave);
}

}  // namespace zcluster::lifecycle
