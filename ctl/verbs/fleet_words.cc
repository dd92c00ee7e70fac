// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/fleet_words.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ctl/output/figures.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/words.h"

namespace zcluster::ctl {
namespace {

constexpr v1::Status kWorstFirst[] = {v1::STATUS_RED, v1::STATUS_GREY, v1::STATUS_ORANGE,
                                      v1::STATUS_GREEN};

std::map<std::string, std::string> Ordered(const Labels& labels) {
  return {labels.begin(), labels.end()};
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::string NodesText(const v1::PairSummary& pair) {
  return OrDash(absl::StrJoin(pair.nodes(), ",", [](std::string* out, const v1::FleetNode& node) {
    absl::StrAppend(out, node.name());
  }));
}

Json FleetNodeJson(const v1::FleetNode& node) {
  return Json::Object(
      {{"name", Json::String(node.name())},
       {"role", Json::String(Word(node.role()))},
       {"ip", Json::String(node.ip())},
       {"status", Json::String(Word(node.status()))},
       {"message", Json::String(node.message())},
       {"connected", Json::Bool(node.connected())},
       {"age_seconds", node.has_age() ? Json::Seconds(ToAbsl(node.age())) : Json::Null()},
       {"version", Json::String(node.version())},
       {"allow", Json::String(Word(node.allow()))}});
}

// As the log writes it: quotes only where the value would not be one word. Not sanitised.
std::string FieldText(const v1::Event::Field& field) {
  const bool plain =
      !field.value().empty() && field.value().find_first_of(" \t\n\"=\\") == std::string::npos;
  return absl::StrCat(field.name(), "=", plain ? field.value() : Quoted(Sanitise(field.value())));
}

}  // namespace

std::string LabelsText(const Labels& labels) {
  return OrDash(absl::StrJoin(Ordered(labels), ",", absl::PairFormatter("=")));
}

Json LabelsJson(const Labels& labels) {
  Json::Members members;
  for (const auto& [key, value] : Ordered(labels)) members.emplace_back(key, Json::String(value));
  return Json::Object(std::move(members));
}

Table PairsTable() {
  return Table({"NAME", "STATUS", "MASTER", "READY", "FLOWS", "NODES", "LABELS", "MESSAGE"});
}

void AddPair(const v1::PairSummary& pair, Table& table) {
  table.Add({OrDash(pair.name()),
             {Word(pair.status()), ColourOf(pair.status())},
             OrDash(pair.master()),
             pair.ready() ? "yes" : "no",
             Count(pair.flows()),
             NodesText(pair),
             LabelsText(pair.labels()),
             pair.message()});
}

Json PairJson(const v1::PairSummary& pair) {
  std::vector<Json> nodes;
  for (const v1::FleetNode& node : pair.nodes()) nodes.push_back(FleetNodeJson(node));
  return Json::Object({{"name", Json::String(pair.name())},
                       {"status", Json::String(Word(pair.status()))},
                       {"message", Json::String(pair.message())},
                       {"master", Json::String(pair.master())},
                       {"ready", Json::Bool(pair.ready())},
                       {"flows", Json::Number(pair.flows())},
                       {"term", Json::Number(pair.term())},
                       {"generation", Json::Number(pair.generation())},
                       {"labels", LabelsJson(pair.labels())},
                       {"nodes", Json::List(std::move(nodes))}});
}

size_t Rank(v1::Status status) {
  switch (status) {
    case v1::STATUS_RED:
      return 0;
    case v1::STATUS_ORANGE:
      return 2;
    case v1::STATUS_GREEN:
      return 3;
    default:
      return 1;  // GREY, and what this program has never heard of
  }
}

void Tally::Add(v1::Status status) { ++counts_[Rank(status)]; }

std::string Tally::Text(const Style& style) const {
  std::vector<std::string> parts;
  // What is well comes first: it is most of them, and what is not stands out behind it.
  for (const size_t rank : {3u, 0u, 2u, 1u}) {
    if (counts_[rank] == 0) continue;
    const v1::Status status = kWorstFirst[rank];
    parts.push_back(
        absl::StrCat(Count(counts_[rank]), " ", style.Paint(ColourOf(status), Word(status))));
  }
  return absl::StrJoin(parts, ", ");
}

std::string Whence(const v1::FleetEvent& event) {
  return event.node().empty() ? event.pair() : absl::StrCat(event.pair(), "/", event.node());
}

std::string Moment(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%E3S UTC", time, absl::UTCTimeZone());
}

Json MomentJson(absl::Time time) {
  return Json::String(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()));
}

std::string EventLine(const v1::FleetEvent& event, const Style& style) {
  return EventLine(Whence(event), event.event(), style);
}

std::string EventLine(const std::string& whence, const v1::Event& what, const Style& style) {
  std::string line = absl::StrCat(
      Moment(ToAbsl(what.at())), "  ", Sanitise(whence), "  ",
      style.Paint(what.warning() ? Colour::kOrange : Colour::kBold, Sanitise(what.name())));
  for (int i = 0; i < what.fields_size(); ++i) {
    absl::StrAppend(&line, i == 0 ? "  " : " ", Sanitise(FieldText(what.fields(i))));
  }
  return line;
}

Json FieldsJson(const v1::Event& what) {
  Json::Members fields;
  std::set<std::string> names;  // of one name the first counts: an object has it once
  for (const v1::Event::Field& field : what.fields()) {
    if (!names.insert(field.name()).second) continue;
    fields.emplace_back(field.name(), Json::String(field.value()));
  }
  return Json::Object(std::move(fields));
}

Json EventJson(const v1::FleetEvent& event) {
  const v1::Event& what = event.event();
  return Json::Object({{"number", Json::Number(event.number())},
                       {"at", MomentJson(ToAbsl(what.at()))},
                       {"received", MomentJson(ToAbsl(event.received()))},
                       {"pair", Json::String(event.pair())},
                       {"node", Json::String(event.node())},
                       {"journal_number", Json::Number(what.number())},
                       {"name", Json::String(what.name())},
                       {"warning", Json::Bool(what.warning())},
                       {"fields", FieldsJson(what)}});
}

}  // namespace zcluster::ctl
