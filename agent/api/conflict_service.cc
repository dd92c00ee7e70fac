// SPDX-License-Identifier: Apache-2.0
#include "agent/api/conflict_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/access/unary_answer.h"
#include "common/kept_files.h"
#include "common/status.h"
#include "common/strings.h"

namespace zcluster::api {
namespace {

absl::StatusOr<v1::ListConflictsResponse> Kept(const std::string& directory) {
  ZC_ASSIGN_OR_RETURN(const std::vector<kept::Set> sets, kept::List(directory));
  v1::ListConflictsResponse response;
  for (const kept::Set& set : sets) {
    v1::Conflict& conflict = *response.add_conflicts();
    conflict.set_id(set.id);
    conflict.set_root(set.root);
    conflict.set_term(set.term);
    for (const std::string& file : set.files) conflict.add_files(file);
    conflict.set_left_out(set.left_out);
  }
  return response;
}

}  // namespace

grpc::ServerUnaryReactor* ConflictService::List(grpc::CallbackServerContext* context,
                                                const v1::ListConflictsRequest*,
                                                v1::ListConflictsResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ConflictService/List"}, answer,
            [this, answer, response] { answer->Give(Kept(board_.options().kept_dir), response); });
  return answer.get();
}

grpc::ServerUnaryReactor* ConflictService::Drop(grpc::CallbackServerContext* context,
                                                const v1::DropConflictRequest* request,
                                                v1::DropConflictResponse*) {
  auto answer = access::UnaryAnswer::Make();
  const bool is_name = request->id().size() <= 64;
  const std::string id = is_name ? request->id() : "";
  desk_.Ask({*context, "zcluster.v1.ConflictService/Drop", absl::StrCat("id=", Printable(id))},
            answer,
            [this, answer, id] { answer->Close(kept::Drop(board_.options().kept_dir, id)); });
  return answer.get();
}

}  // namespace zcluster::api
