// SPDX-License-Identifier: Apache-2.0
#include "agent/config/health_section.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/config/check.h"
#include "common/status.h"

namespace zcluster::config {
namespace {

constexpr int kMaxInterfaces = 16;
constexpr int kMaxGateways = 8;
// A process each so often on either node, for ever: more often it would be a load of its own.
constexpr absl::Duration kShortestInterval = absl::Milliseconds(200);
constexpr absl::Duration kLongestInterval = absl::Minutes(10);
constexpr absl::Duration kShortestTimeout = absl::Milliseconds(50);
constexpr uint32_t kMostInARow = 100;

absl::Status ReadInterfaces(const YamlDocument& document, const v1::PairConfig::Health& file,
                            HealthSettings& settings) {
  if (file.interfaces_size() > kMaxInterfaces)
    return document.ErrorAt("health.interfaces", absl::StrCat("has more than ", kMaxInterfaces));
  std::set<std::string> seen;
  for (int i = 0; i < file.interfaces_size(); ++i) {
    const std::string field = absl::StrCat("health.interfaces[", i, "]");
    const std::string& name = file.interfaces(i);
    ZC_RETURN_IF_ERROR(At(document, field, CheckInterface(name)));
    if (!seen.insert(name).second)
      return document.ErrorAt(field, absl::StrCat("is '", name, "', given twice"));
    settings.interfaces.push_back(name);
  }
  return absl::OkStatus();
}

absl::Status ReadGateways(const YamlDocument& document, const v1::PairConfig::Health& file,
                          HealthSettings& settings) {
  if (file.gateways_size() > kMaxGateways)
    return document.ErrorAt("health.gateways", absl::StrCat("has more than ", kMaxGateways));
  std::set<std::string> seen;
  for (int i = 0; i < file.gateways_size(); ++i) {
    const std::string field = absl::StrCat("health.gateways[", i, "]");
    const absl::StatusOr<Address> address = ParseAddress(file.gateways(i));
    if (!address.ok()) return At(document, field, address.status());
    ZC_RETURN_IF_ERROR(At(document, field, CheckUnicast(*address)));
    if (address->prefix_length >= 0) {
      return document.ErrorAt(field, absl::StrCat("is '", file.gateways(i),
                                                  "'; expected an address without prefix length"));
    }
    // fe80::/10
    if (address->v6 &&
        (absl::StartsWith(address->text, "fe8") || absl::StartsWith(address->text, "fe9") ||
         absl::StartsWith(address->text, "fea") || absl::StartsWith(address->text, "feb"))) {
      return document.ErrorAt(
          field, absl::StrCat("is '", address->text,
                              "', which is of one wire alone, and does not say of which; expected "
                              "a global or unique local address of the gateway"));
    }
    if (!seen.insert(address->text).second)
      return document.ErrorAt(field, absl::StrCat("is '", address->text, "', given twice"));
    settings.gateways.push_back(address->text);
  }
  return absl::OkStatus();
}

absl::Status ReadTimes(const YamlDocument& document, const v1::PairConfig::Health::Check& file,
                       HealthCommand& check) {
  check.interval = file.has_interval() ? DurationOf(file.interval()) : kCheckInterval;
  if (check.interval < kShortestInterval || check.interval > kLongestInterval) {
    return document.ErrorAt(
        "health.check.interval",
        absl::StrCat("is ", absl::FormatDuration(check.interval), "; expected 200ms to 10m"));
  }
  check.timeout =
      file.has_timeout() ? DurationOf(file.timeout()) : std::min(kCheckTimeout, check.interval);
  if (check.timeout < kShortestTimeout || check.timeout > check.interval) {
    return document.ErrorAt(
        "health.check.timeout",
        absl::StrCat("is ", absl::FormatDuration(check.timeout),
                     "; expected 50ms to the interval, ", absl::FormatDuration(check.interval)));
  }
  return absl::OkStatus();
}

absl::Status ReadCount(const YamlDocument& document, absl::string_view field, uint32_t given,
                       int& count) {
  if (given < 1 || given > kMostInARow) {
    return document.ErrorAt(field, absl::StrCat("is ", given, "; expected 1 to ", kMostInARow));
  }
  count = static_cast<int>(given);
  return absl::OkStatus();
}

absl::Status ReadCheck(const YamlDocument& document, const v1::PairConfig::Health::Check& file,
                       HealthCommand& check) {
  if (file.command().empty()) {
    return document.ErrorAt("health.check.command",
                            "is missing; expected a program and its arguments");
  }
  ZC_RETURN_IF_ERROR(At(document, "health.check.command[0]", CheckPath(file.command(0))));
  for (int i = 0; i < file.command_size(); ++i) {
    ZC_RETURN_IF_ERROR(
        At(document, absl::StrCat("health.check.command[", i, "]"), CheckText(file.command(i))));
    check.command.push_back(file.command(i));
  }
  ZC_RETURN_IF_ERROR(ReadTimes(document, file, check));
  ZC_RETURN_IF_ERROR(ReadCount(document, "health.check.rise",
                               file.has_rise() ? file.rise() : kCheckRise, check.rise));
  return ReadCount(document, "health.check.fall", file.has_fall() ? file.fall() : kCheckFall,
                   check.fall);
}

}  // namespace

absl::Status ReadHealth(const YamlDocument& document, const v1::PairConfig::Health& file,
                        HealthSettings& settings) {
  ZC_RETURN_IF_ERROR(ReadInterfaces(document, file, settings));
  ZC_RETURN_IF_ERROR(ReadGateways(document, file, settings));
  if (!file.has_check()) return absl::OkStatus();
  settings.check.emplace();
  return ReadCheck(document, file.check(), *settings.check);
}

}  // namespace zcluster::config
