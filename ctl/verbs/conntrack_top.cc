// SPDX-License-Identifier: Apache-2.0
// zctl conntrack top: who has the most connections, in place on a terminal.
#include <arpa/inet.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/status.h"
#include "ctl/output/figures.h"
#include "ctl/output/table.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/flow_filter.h"
#include "ctl/verbs/flow_words.h"
#include "ctl/verbs/look_on.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/flows.grpc.pb.h"

namespace zcluster::ctl {
namespace {

constexpr uint32_t kMostRows = 1000;

v1::TopBy ByOf(const std::string& word) {
  return word == "backend"   ? v1::TOP_BY_BACKEND
         : word == "service" ? v1::TOP_BY_SERVICE
                             : v1::TOP_BY_CLIENT;
}

std::string AddressText(const std::string& bytes) {
  char text[INET6_ADDRSTRLEN];
  const int family = bytes.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  if ((bytes.size() != sizeof(in_addr) && bytes.size() != sizeof(in6_addr)) ||
      inet_ntop(family, bytes.data(), text, sizeof text) == nullptr) {
    return "?";
  }
  return text;
}

// "198.51.100.7", "tcp 192.0.2.10:443".
std::string Name(const v1::TopRow& row) {
  std::string address = AddressText(row.address());
  if (row.protocol() == 0) return address;
  if (row.port() != 0) {
    const bool v6 = row.address().size() == sizeof(in6_addr);
    address = absl::StrCat(v6 ? "[" : "", address, v6 ? "]:" : ":", row.port());
  }
  return absl::StrCat(ProtocolWord(row.protocol()), " ", address);
}

std::string Rate(double per_second) { return absl::StrFormat("%.1f", per_second); }

class Shown {
 public:
  Shown(Context& context, std::string by) : context_(context), by_(std::move(by)) {}

  void Show(const v1::TopFlows& top) {
    if (ForPrograms(context_)) {
      Print(context_, ToJson(top));
    } else {
      const std::string text = Text(top);
      context_.out << (OnTerminal(context_) ? Frame(text, first_) : text);
    }
    context_.out << std::flush;
    first_ = false;
  }

 private:
  std::string Text(const v1::TopFlows& top) const {
    std::string text = absl::StrCat(
        Sanitise(top.node()), " at ", Date(absl::Now()), ": ", CountOf(top.flows(), "connection"),
        top.has_new_per_second() ? absl::StrCat(", ", Rate(top.new_per_second()), " new a second")
                                 : "",
        ", of ", CountOf(top.groups(), by_), OnTerminal(context_) ? " (Ctrl-C ends)" : "", "\n\n");
    Table table({absl::AsciiStrToUpper(by_), "CONNECTIONS", "NEW/S"});
    for (const v1::TopRow& row : top.rows()) {
      table.Add({Name(row), Count(row.flows()),
                 row.has_new_per_second() ? Rate(row.new_per_second()) : ""});
    }
    absl::StrAppend(&text, table.Render(context_.style));
    if (top.ungrouped() > 0)
      absl::StrAppend(&text, CountOf(top.ungrouped(), "connection"), " more of others\n");
    return text;
  }

  Json ToJson(const v1::TopFlows& top) const {
    const auto rate = [](const auto& message) {
      return message.has_new_per_second()
                 ? Json::Milliseconds(absl::Milliseconds(1) * message.new_per_second())
                 : Json::Null();
    };
    std::vector<Json> rows;
    for (const v1::TopRow& row : top.rows()) {
      rows.push_back(Json::Object(
          {{"address", Json::String(AddressText(row.address()))},
           {"port", row.port() == 0 ? Json::Null() : Json::Number(row.port())},
           {"protocol",
            row.protocol() == 0 ? Json::Null() : Json::String(ProtocolWord(row.protocol()))},
           {"flows", Json::Number(row.flows())},
           {"new_per_second", rate(row)}}));
    }
    return Json::Object({{"at", Json::Time(absl::Now())},
                         {"node", Json::String(top.node())},
                         {"by", Json::String(by_)},
                         {"flows", Json::Number(top.flows())},
                         {"new_per_second", rate(top)},
                         {"groups", Json::Number(top.groups())},
                         {"ungrouped", Json::Number(top.ungrouped())},
                         {"rows", Json::List(std::move(rows))}});
  }

  Context& context_;
  const std::string by_;
  bool first_ = true;
};

absl::StatusOr<v1::TopFlowsRequest> RequestOf(const Context& context, const std::string& by) {
  v1::TopFlowsRequest request;
  ZC_ASSIGN_OR_RETURN(*request.mutable_filter(), FlowFilterOf(context));
  request.set_by(ByOf(by));
  if (context.Given("--limit")) {
    ZC_ASSIGN_OR_RETURN(const uint32_t limit, NumberOf(context, "--limit", 1, kMostRows));
    request.set_limit(limit);
  }
  if (context.Given("--every")) {
    ZC_ASSIGN_OR_RETURN(const absl::Duration every, DurationOf(context, "--every"));
    *request.mutable_interval() = ToProto(every);
  }
  return request;
}

}  // namespace

ExitCode ConntrackTop(Context& context) {
  const std::string by = context.Given("--by") ? context.Value("--by") : "client";
  const absl::StatusOr<v1::TopFlowsRequest> request = RequestOf(context, by);
  if (!request.ok()) return Fail(context, request.status());
  Shown shown(context, by);
  if (OnTerminal(context)) {
    LookingOn looking(context);
    return looking.Run([&](const Channel& channel, grpc::ClientContext* call) {
      const auto reader = v1::FlowService::NewStub(channel)->Top(call, *request);
      v1::TopFlows top;
      while (reader->Read(&top)) {
        looking.Heard();
        shown.Show(top);
      }
      return reader->Finish();
    });
  }
  // One table, the second look's: the first knows no rates.
  bool told = false;
  const absl::Status asked = Ask(context, [&](const Channel& channel, grpc::ClientContext* call) {
    const auto reader = v1::FlowService::NewStub(channel)->Top(call, *request);
    v1::TopFlows top;
    told = reader->Read(&top) && reader->Read(&top);
    if (told) call->TryCancel();
    const grpc::Status end = reader->Finish();
    if (told) shown.Show(top);
    return told ? grpc::Status::OK : end;
  });
  return asked.ok() ? ExitCode::kOk : Fail(context, asked);
}

}  // namespace zcluster::ctl
