// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "ctl/output/json.h"
#include "ctl/output/style.h"
#include "ctl/output/table.h"
#include "zcluster/v1/fleet.pb.h"

// Pairs and events as operators see them, in lines and in JSON. Names, labels and messages may be
// anything: whoever enrolled a node chose them.
namespace zcluster::ctl {

using Labels = google::protobuf::Map<std::string, std::string>;

// "env=prod,tier=web", in the order of the keys; "-" for none. Not sanitised.
std::string LabelsText(const Labels& labels);
// An object, in the order of the keys.
Json LabelsJson(const Labels& labels);

// NAME STATUS MASTER READY FLOWS NODES LABELS MESSAGE. No cell but the last is empty, so that a
// shell can split the lines.
Table PairsTable();
void AddPair(const v1::PairSummary& pair, Table& table);

Json PairJson(const v1::PairSummary& pair);

// How many pairs have which colour.
class Tally {
 public:
  void Add(v1::Status status);
  // "2,490 GREEN, 8 RED, 2 GREY": those that occur, in colour; empty if there are none.
  std::string Text(const Style& style) const;

 private:
  std::array<uint64_t, 4> counts_{};
};

// How bad it is: 0 for RED, then GREY, ORANGE, GREEN.
size_t Rank(v1::Status status);

// "web-1/lb1", or "web-1" for what the controller itself has to say. Not sanitised.
std::string Whence(const v1::FleetEvent& event);
// "2026-02-01 12:00:00.123 UTC  web-1/lb1  promoted  term=8 cause="no advert"", sanitised, without
// a newline.
std::string EventLine(const v1::FleetEvent& event, const Style& style);
Json EventJson(const v1::FleetEvent& event);
// The same of one that is not of a fleet; `whence` is the node's name, or more.
std::string EventLine(const std::string& whence, const v1::Event& event, const Style& style);
// An object of its fields.
Json FieldsJson(const v1::Event& event);

// "2026-02-01 12:00:00.123 UTC", "2026-02-01T12:00:00.123Z".
std::string Moment(absl::Time time);
Json MomentJson(absl::Time time);

}  // namespace zcluster::ctl
