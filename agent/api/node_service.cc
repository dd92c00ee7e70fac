// SPDX-License-Identifier: Apache-2.0
#include "agent/api/node_service.h"

#include "absl/strings/str_cat.h"
#include "agent/api/in_words.h"
#include "agent/wire/wire.h"
#include "common/access/unary_answer.h"

namespace zcluster::api {
namespace {

constexpr absl::Duration kShortest = absl::Seconds(10);
constexpr absl::Duration kLongest = absl::Hours(24);
constexpr absl::Duration kDefault = absl::Minutes(15);

absl::StatusOr<absl::Duration> Lifetime(const v1::TokenRequest& request) {
  if (!request.has_lifetime()) return kDefault;
  const absl::Duration lifetime = wire::FromProto(request.lifetime());
  if (lifetime < kShortest || lifetime > kLongest) {
    return absl::InvalidArgumentError(
        absl::StrCat("lifetime: ", absl::FormatDuration(lifetime), ": use 10s to 24h"));
  }
  return lifetime;
}

}  // namespace

grpc::ServerUnaryReactor* NodeService::Token(grpc::CallbackServerContext* context,
                                             const v1::TokenRequest* request,
                                             v1::TokenResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.NodeService/Token", InWords(*request)}, answer,
            [this, answer, response, lifetime = Lifetime(*request)] {
              if (!lifetime.ok()) return answer->Close(lifetime.status());
              answer->Give(lifecycle_.Token(*lifetime), response);
            });
  return answer.get();
}

grpc::ServerUnaryReactor* NodeService::Fingerprint(grpc::CallbackServerContext* context,
                                                   const v1::FingerprintRequest*,
                                                   v1::FingerprintResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.NodeService/Fingerprint"}, answer,
            [this, answer, response] { answer->Give(lifecycle_.Fingerprint(), response); });
  return answer.get();
}

grpc::ServerUnaryReactor* NodeService::Unlock(grpc::CallbackServerContext* context,
                                              const v1::UnlockRequest*, v1::UnlockResponse*) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.NodeService/Unlock"}, answer,
            [this, answer] { answer->Close(lifecycle_.Unlock()); });
  return answer.get();
}

}  // namespace zcluster::api
