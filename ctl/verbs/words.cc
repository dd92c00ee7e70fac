// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/words.h"

#include <vector>

namespace zcluster::ctl {

std::string Word(v1::Role role) {
  switch (role) {
    case v1::ROLE_MASTER:
      return "MASTER";
    case v1::ROLE_BACKUP:
      return "BACKUP";
    case v1::ROLE_MAINTENANCE:
      return "MAINTENANCE";
    case v1::ROLE_FAULT:
      return "FAULT";
    case v1::ROLE_UNCONFIGURED:
      return "UNCONFIGURED";
    default:
      return "UNKNOWN";
  }
}

std::string Word(v1::Status status) {
  switch (status) {
    case v1::STATUS_GREEN:
      return "GREEN";
    case v1::STATUS_RED:
      return "RED";
    case v1::STATUS_ORANGE:
      return "ORANGE";
    default:
      return "GREY";
  }
}

Colour ColourOf(v1::Status status) {
  switch (status) {
    case v1::STATUS_GREEN:
      return Colour::kGreen;
    case v1::STATUS_RED:
      return Colour::kRed;
    case v1::STATUS_ORANGE:
      return Colour::kOrange;
    default:
      return Colour::kGrey;
  }
}

absl::Duration ToAbsl(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

Table NodesTable(const google::protobuf::RepeatedPtrField<v1::Node>& nodes) {
  Table table({"NODE", "ROLE", "IP", "HOSTNAME", "STATUS", "MESSAGE"});
  for (const v1::Node& node : nodes) {
    table.Add({node.local() ? "local" : "remote",
               Word(node.role()),
               node.ip(),
               node.hostname(),
               {Word(node.status()), ColourOf(node.status())},
               node.message()});
  }
  return table;
}

Json NodesJson(const google::protobuf::RepeatedPtrField<v1::Node>& nodes) {
  std::vector<Json> list;
  for (const v1::Node& node : nodes) {
    list.push_back(Json::Object({{"node", Json::String(node.local() ? "local" : "remote")},
                                 {"role", Json::String(Word(node.role()))},
                                 {"ip", Json::String(node.ip())},
                                 {"hostname", Json::String(node.hostname())},
                                 {"status", Json::String(Word(node.status()))},
                                 {"message", Json::String(node.message())}}));
  }
  return Json::List(list);
}

}  // namespace zcluster::ctl
