// SPDX-License-Identifier: Apache-2.0
#include "controller/api/operator_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/access/unary_answer.h"
#include "controller/api/in_words.h"

namespace zcluster::controller {
namespace {

constexpr uint32_t kDefaultEntries = 100;
constexpr uint32_t kMostEntries = 10'000;

}  // namespace

grpc::ServerUnaryReactor* OperatorService::Add(grpc::CallbackServerContext* context,
                                               const v1::AddOperatorRequest* request,
                                               v1::AddOperatorResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.OperatorService/Add", InWords(*request)}, answer,
            [this, answer, response, asked = *request] {
              hub_.AddOperator(asked,
                               [answer, response](absl::StatusOr<v1::AddOperatorResponse> added) {
                                 answer->Give(std::move(added), response);
                               });
            });
  return answer.get();
}

grpc::ServerUnaryReactor* OperatorService::List(grpc::CallbackServerContext* context,
                                                const v1::ListOperatorsRequest*,
                                                v1::ListOperatorsResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.OperatorService/List"}, answer, [this, answer, response] {
    answer->Give(absl::OkStatus(), [&] { *response = hub_.ListOperators(); });
  });
  return answer.get();
}

grpc::ServerUnaryReactor* OperatorService::Revoke(grpc::CallbackServerContext* context,
                                                  const v1::RevokeOperatorRequest* request,
                                                  v1::RevokeOperatorResponse*) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.OperatorService/Revoke", InWords(*request)}, answer,
            [this, answer, asked = *request] {
              hub_.RevokeOperator(asked,
                                  [answer](const absl::Status& done) { answer->Close(done); });
            });
  return answer.get();
}

grpc::ServerUnaryReactor* OperatorService::Audit(grpc::CallbackServerContext* context,
                                                 const v1::AuditRequest* request,
                                                 v1::AuditResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.OperatorService/Audit"}, answer,
            [this, answer, response, limit = request->limit()] {
              if (limit > kMostEntries) {
                return answer->Close(absl::InvalidArgumentError(
                    absl::StrCat("limit: is ", limit, "; at most ", kMostEntries)));
              }
              audit_.Newest(limit == 0 ? kDefaultEntries : limit,
                            [answer, response](absl::StatusOr<v1::AuditResponse> entries) {
                              answer->Give(std::move(entries), response);
                            });
            });
  return answer.get();
}

}  // namespace zcluster::controller
