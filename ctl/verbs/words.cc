// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/words.h"

#include <utility>
#include <vector>

#include "ctl/output/figures.h"

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

absl::Time ToAbsl(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  proto.set_seconds(absl::ToUnixSeconds(time));
  proto.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(proto.seconds()))));
  return proto;
}

std::string Word(v1::Failback failback) {
  return failback == v1::FAILBACK_PREFERRED ? "PREFERRED" : "KEEP";
}

std::string Word(v1::Right right) {
  switch (right) {
    case v1::RIGHT_VIEWER:
      return "viewer";
    case v1::RIGHT_OPERATOR:
      return "operator";
    case v1::RIGHT_ADMIN:
      return "admin";
    default:
      return "unknown";
  }
}

v1::Failback FailbackOf(absl::string_view word) {
  return word == "KEEP"        ? v1::FAILBACK_KEEP
         : word == "PREFERRED" ? v1::FAILBACK_PREFERRED
                               : v1::FAILBACK_UNSPECIFIED;
}

v1::Right RightOf(absl::string_view word) {
  return word == "viewer"     ? v1::RIGHT_VIEWER
         : word == "operator" ? v1::RIGHT_OPERATOR
         : word == "admin"    ? v1::RIGHT_ADMIN
                              : v1::RIGHT_UNSPECIFIED;
}

std::string Date(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

namespace {

std::string AgeOf(const v1::Node& node) {
  if (!node.has_age()) return "never heard";
  const absl::Duration age = ToAbsl(node.age());
  return age == absl::ZeroDuration() ? "now" : Short(age);
}

}  // namespace

Table NodesTable(const google::protobuf::RepeatedPtrField<v1::Node>& nodes, Ages ages) {
  std::vector<std::string> header = {"NODE", "ROLE", "IP", "HOSTNAME", "STATUS", "MESSAGE"};
  if (ages == Ages::kShown) header.insert(header.end() - 1, "AGE");
  Table table(header);
  for (const v1::Node& node : nodes) {
    std::vector<Table::Cell> row = {node.local() ? "local" : "remote",
                                    Word(node.role()),
                                    node.ip(),
                                    node.hostname(),
                                    {Word(node.status()), ColourOf(node.status())},
                                    node.message()};
    if (ages == Ages::kShown) row.insert(row.end() - 1, AgeOf(node));
    table.Add(std::move(row));
  }
  return table;
}

Json NodesJson(const google::protobuf::RepeatedPtrField<v1::Node>& nodes, Ages ages) {
  std::vector<Json> list;
  for (const v1::Node& node : nodes) {
    Json::Members members = {{"node", Json::String(node.local() ? "local" : "remote")},
                             {"role", Json::String(Word(node.role()))},
                             {"ip", Json::String(node.ip())},
                             {"hostname", Json::String(node.hostname())},
                             {"status", Json::String(Word(node.status()))}};
    if (ages == Ages::kShown) {
      members.emplace_back("age_seconds",
                           node.has_age() ? Json::Seconds(ToAbsl(node.age())) : Json::Null());
    }
    members.emplace_back("message", Json::String(node.message()));
    list.push_back(Json::Object(std::move(members)));
  }
  return Json::List(std::move(list));
}

}  // namespace zcluster::ctl
