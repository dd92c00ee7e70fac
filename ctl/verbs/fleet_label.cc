// SPDX-License-Identifier: Apache-2.0
// zctl fleet label: what a pair is found by.
#include <ostream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/fleet_words.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// KEY=VALUE sets, KEY- removes.
absl::StatusOr<v1::LabelPairRequest> MakeRequest(const std::vector<std::string>& words) {
  v1::LabelPairRequest request;
  request.set_pair(words[0]);
  std::set<std::string> keys;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    const size_t equals = word.find('=');
    const bool removes = equals == std::string::npos && absl::EndsWith(word, "-");
    const std::string key = removes ? word.substr(0, word.size() - 1) : word.substr(0, equals);
    if (key.empty() || (equals == std::string::npos && !removes)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", word, "' is neither KEY=VALUE (sets the label) nor KEY- (removes it)"));
    }
    if (!keys.insert(key).second) {
      return absl::InvalidArgumentError(absl::StrCat("the label '", key, "' is given twice"));
    }
    if (removes) {
      request.add_remove(key);
    } else {
      (*request.mutable_set())[key] = word.substr(equals + 1);
    }
  }
  if (keys.empty()) {
    return absl::InvalidArgumentError(
        "KEY=VALUE or KEY- is missing; `zctl fleet show PAIR` shows the labels that there are");
  }
  return request;
}

}  // namespace

ExitCode FleetLabel(Context& context) {
  const auto request = MakeRequest(context.words);
  if (!request.ok()) return Fail(context, request.status());
  v1::LabelPairResponse response;
  const absl::Status status =
      Ask(context, [&request, &response](const Channel& channel, grpc::ClientContext* call) {
        return v1::FleetService::NewStub(channel)->Label(call, *request, &response);
      });
  if (!status.ok()) return Fail(context, status);
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"pair", Json::String(request->pair())},
                                 {"labels", LabelsJson(response.labels())}}));
  } else {
    context.out << Sanitise(absl::StrCat(
                       request->pair(), " has ",
                       response.labels().empty() ? "no label" : LabelsText(response.labels())))
                << '\n';
  }
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
