// SPDX-License-Identifier: Apache-2.0
#include "agent/config/flow_rules_section.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "agent/config/check.h"
#include "common/status.h"

namespace zcluster::config {
namespace {

constexpr int kMaxRules = 64;
constexpr uint32_t kMaxZone = 0xffff;

// The fields of one rule.
class RuleReader {
 public:
  RuleReader(const YamlDocument& document, std::string field,
             const v1::PairConfig::Conntrack::Rule& file)
      : document_(document), field_(std::move(field)), file_(file) {}

  absl::StatusOr<FlowRule> Read() const {
    FlowRule rule;
    if (!file_.protocol().empty()) {
      const absl::StatusOr<uint8_t> protocol = ParseProtocol(file_.protocol());
      if (!protocol.ok()) return Wrong("protocol", protocol.status());
      rule.protocol = *protocol;
    }
    ZC_RETURN_IF_ERROR(ReadEnd("address", file_.address(), "port", file_.port(), rule.any));
    ZC_RETURN_IF_ERROR(
        ReadEnd("source", file_.source(), "source_port", file_.source_port(), rule.source));
    ZC_RETURN_IF_ERROR(ReadEnd("destination", file_.destination(), "destination_port",
                               file_.destination_port(), rule.destination));
    if (file_.direction() == v1::PairConfig::Conntrack::DIRECTION_ORIGINAL)
      rule.direction = FlowRule::Direction::kOriginal;
    if (file_.direction() == v1::PairConfig::Conntrack::DIRECTION_REPLY)
      rule.direction = FlowRule::Direction::kReply;
    for (int i = 0; i < file_.state_size(); ++i) {
      if (const absl::Status read = ParseState(file_.state(i), rule); !read.ok())
        return Wrong(absl::StrCat("state[", i, "]"), read);
    }
    if (!file_.mark().empty()) {
      if (const absl::Status read = ParseMark(file_.mark(), rule); !read.ok())
        return Wrong("mark", read);
    }
    if (file_.has_zone()) {
      if (file_.zone() > kMaxZone)
        return document_.ErrorAt(field_ + ".zone",
                                 absl::StrCat("is ", file_.zone(), "; expected 0 to 65535"));
      rule.zone = static_cast<uint16_t>(file_.zone());
    }
    return Sense(rule);
  }

 private:
  absl::Status Wrong(absl::string_view name, const absl::Status& status) const {
    return At(document_, absl::StrCat(field_, ".", name), status);
  }

  absl::Status ReadEnd(absl::string_view network_name, const std::string& network,
                       absl::string_view ports_name, const std::string& ports,
                       FlowRule::End& end) const {
    if (!network.empty()) {
      const absl::StatusOr<FlowRule::Network> read = ParseNetwork(network);
      if (!read.ok()) return Wrong(network_name, read.status());
      end.network = *read;
    }
    if (!ports.empty()) {
      const absl::StatusOr<FlowRule::Ports> read = ParsePorts(ports);
      if (!read.ok()) return Wrong(ports_name, read.status());
      end.ports = *read;
    }
    return absl::OkStatus();
  }

  // A rule without a condition would hold for all; one with a direction alone says less than its
  // writer meant.
  absl::StatusOr<FlowRule> Sense(const FlowRule& rule) const {
    FlowRule directed;
    directed.direction = rule.direction;
    if (rule == directed) {
      return document_.ErrorAt(
          field_,
          "says nothing of the connections; expected a protocol, address, source, "
          "destination, port, state, mark or zone");
    }
    return rule;
  }

  const YamlDocument& document_;
  const std::string field_;
  const v1::PairConfig::Conntrack::Rule& file_;
};

absl::Status ReadList(
    const YamlDocument& document, const std::string& field,
    const google::protobuf::RepeatedPtrField<v1::PairConfig::Conntrack::Rule>& file,
    std::vector<FlowRule>& rules) {
  if (file.size() > kMaxRules)
    return document.ErrorAt(field, absl::StrCat("has more than ", kMaxRules, " rules"));
  for (int i = 0; i < file.size(); ++i) {
    ZC_ASSIGN_OR_RETURN(FlowRule rule,
                        RuleReader(document, absl::StrCat(field, "[", i, "]"), file[i]).Read());
    rules.push_back(rule);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadFlowRules(const YamlDocument& document, const v1::PairConfig::Conntrack& file,
                           FlowRules& rules) {
  ZC_RETURN_IF_ERROR(ReadList(document, "conntrack.only", file.only(), rules.only));
  return ReadList(document, "conntrack.skip", file.skip(), rules.skip);
}

}  // namespace zcluster::config
