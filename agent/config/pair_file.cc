// SPDX-License-Identifier: Apache-2.0
#include <re2/re2.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/config/check.h"
#include "agent/config/config.h"
#include "agent/config/flow_rules_section.h"
#include "agent/config/health_section.h"
#include "common/access/right_proto.h"
#include "common/status.h"
#include "common/strings.h"
#include "common/yaml.h"
#include "zcluster/v1/config.pb.h"

namespace zcluster::config {
namespace {

constexpr int kMaxVips = 500;
constexpr int kMaxRoots = 32;
constexpr int kMaxCommands = 256;
constexpr int kMaxOperators = 256;
constexpr int kMaxBackends = 32;

absl::StatusOr<core::AdvertInterval> ReadInterval(const YamlDocument& document,
                                                  const v1::PairConfig& file) {
  const absl::Duration wanted = file.vrrp().has_advert_interval()
                                    ? DurationOf(file.vrrp().advert_interval())
                                    : absl::Seconds(1);
  absl::StatusOr<core::AdvertInterval> interval = core::AdvertInterval::From(wanted);
  if (!interval.ok()) return At(document, "vrrp.advert_interval", interval.status());
  return interval;
}

absl::Status ReadVips(const YamlDocument& document, const v1::PairConfig& file,
                      const AgentSettings& agent, PairSettings& settings) {
  if (file.vips_size() > kMaxVips)
    return document.ErrorAt("vips", absl::StrCat("has more than ", kMaxVips, " addresses"));
  std::set<std::string> seen;
  for (int i = 0; i < file.vips_size(); ++i) {
    const std::string field = absl::StrCat("vips[", i, "].address");
    const absl::StatusOr<Address> address = ParseAddress(file.vips(i).address());
    if (!address.ok()) return At(document, field, address.status());
    ZC_RETURN_IF_ERROR(At(document, field, CheckUnicast(*address)));
    if (address->prefix_length == 0) {
      return document.ErrorAt(
          field, absl::StrCat("is '", address->text, "/0'; expected a prefix length from 1"));
    }
    if (address->prefix_length < 0) {
      return document.ErrorAt(
          field, absl::StrCat("is '", address->text, "'; expected a prefix length too, such as ",
                              address->text, address->v6 ? "/64" : "/24"));
    }
    if (address->text == agent.node_address || address->text == agent.peer_address) {
      return document.ErrorAt(field, absl::StrCat("is '", address->text,
                                                  "', a node's own address; a VIP is another one"));
    }
    if (!seen.insert(address->text).second)
      return document.ErrorAt(field, absl::StrCat("is '", address->text, "', given twice"));
    const std::string& interface = file.vips(i).interface();
    if (!interface.empty()) {
      ZC_RETURN_IF_ERROR(
          At(document, absl::StrCat("vips[", i, "].interface"), CheckInterface(interface)));
    }
    settings.vips.push_back({.address = address->text,
                             .prefix_length = address->prefix_length,
                             .v6 = address->v6,
                             .interface = interface});
  }
  return absl::OkStatus();
}

absl::Status ReadRoots(const YamlDocument& document, const v1::PairConfig& file,
                       PairSettings& settings) {
  if (file.roots_size() > kMaxRoots)
    return document.ErrorAt("roots", absl::StrCat("has more than ", kMaxRoots, " roots"));
  for (int i = 0; i < file.roots_size(); ++i) {
    const std::string& path = file.roots(i).path();
    const std::string field = absl::StrCat("roots[", i, "].path");
    ZC_RETURN_IF_ERROR(At(document, field, CheckRoot(path)));
    for (const Root& other : settings.roots) {
      const std::string a = path + "/";
      const std::string b = other.path + "/";
      if (a.compare(0, b.size(), b) == 0 || b.compare(0, a.size(), a) == 0) {
        return document.ErrorAt(
            field, absl::StrCat("is '", path, "', which overlaps with root ", other.path));
      }
    }
    for (int j = 0; j < file.roots(i).exclude_size(); ++j) {
      ZC_RETURN_IF_ERROR(At(document, absl::StrCat("roots[", i, "].exclude[", j, "]"),
                            CheckText(file.roots(i).exclude(j))));
    }
    settings.roots.push_back(
        {path, {file.roots(i).exclude().begin(), file.roots(i).exclude().end()}});
  }
  return absl::OkStatus();
}

absl::Status ReadArguments(const YamlDocument& document, const std::string& field,
                           const v1::PairConfig::Command& file, Command& command,
                           std::set<std::string>& declared) {
  for (int i = 0; i < file.arguments_size(); ++i) {
    const std::string at = absl::StrCat(field, ".arguments[", i, "]");
    const auto& argument = file.arguments(i);
    ZC_RETURN_IF_ERROR(At(document, at + ".name", CheckName(argument.name())));
    if (!declared.insert(argument.name()).second)
      return document.ErrorAt(at + ".name", "is given twice");
    if (argument.pattern().empty())
      return document.ErrorAt(at + ".pattern", "is missing; expected a regular expression");
    ZC_RETURN_IF_ERROR(At(document, at + ".pattern", CheckText(argument.pattern())));
    const re2::RE2 pattern(argument.pattern(), re2::RE2::Quiet);
    if (!pattern.ok())
      return document.ErrorAt(at + ".pattern",
                              absl::StrCat("is not a regular expression: ", pattern.error()));
    command.arguments.push_back({argument.name(), argument.pattern()});
  }
  return absl::OkStatus();
}

absl::Status ReadArgv(const YamlDocument& document, const std::string& field,
                      const v1::PairConfig::Command& file, Command& command,
                      const std::set<std::string>& declared) {
  if (file.argv().empty())
    return document.ErrorAt(field + ".argv", "is missing; expected a program and its arguments");
  ZC_RETURN_IF_ERROR(At(document, field + ".argv[0]", CheckPath(file.argv(0))));
  std::set<std::string> used;
  for (int i = 0; i < file.argv_size(); ++i) {
    const std::string at = absl::StrCat(field, ".argv[", i, "]");
    ZC_RETURN_IF_ERROR(At(document, at, CheckText(file.argv(i))));
    for (const std::string& name : Placeholders(file.argv(i))) {
      if (i == 0 || declared.count(name) == 0) {
        return document.ErrorAt(
            at, absl::StrCat("has '{", name, "}', which is not one of its arguments: ",
                             declared.empty() ? "(none)" : absl::StrJoin(declared, ", ")));
      }
      used.insert(name);
    }
    command.argv.push_back(file.argv(i));
  }
  for (const std::string& name : declared) {
    if (used.count(name) == 0)
      return document.ErrorAt(field + ".arguments",
                              absl::StrCat("has '", name, "', which argv does not use"));
  }
  return absl::OkStatus();
}

absl::Status ReadCommand(const YamlDocument& document, const std::string& field,
                         const v1::PairConfig::Command& file, Command& command) {
  command.name = file.name();
  command.summary = file.summary();
  ZC_RETURN_IF_ERROR(At(document, field + ".name", CheckName(command.name)));
  ZC_RETURN_IF_ERROR(At(document, field + ".summary", CheckText(command.summary)));
  std::set<std::string> declared;
  ZC_RETURN_IF_ERROR(ReadArguments(document, field, file, command, declared));
  ZC_RETURN_IF_ERROR(ReadArgv(document, field, file, command, declared));
  command.timeout = file.has_timeout() ? DurationOf(file.timeout()) : absl::Seconds(30);
  if (command.timeout < absl::Milliseconds(100) || command.timeout > absl::Hours(1)) {
    return document.ErrorAt(
        field + ".timeout",
        absl::StrCat("is ", absl::FormatDuration(command.timeout), "; expected 100ms to 1h"));
  }
  return absl::OkStatus();
}

absl::Status ReadCommands(const YamlDocument& document, const v1::PairConfig& file,
                          PairSettings& settings) {
  if (file.commands_size() > kMaxCommands)
    return document.ErrorAt("commands", absl::StrCat("has more than ", kMaxCommands));
  std::set<std::string> names;
  for (int i = 0; i < file.commands_size(); ++i) {
    const std::string field = absl::StrCat("commands[", i, "]");
    Command command;
    ZC_RETURN_IF_ERROR(ReadCommand(document, field, file.commands(i), command));
    if (!names.insert(command.name).second)
      return document.ErrorAt(field + ".name",
                              absl::StrCat("is '", command.name, "', given twice"));
    settings.commands.push_back(std::move(command));
  }
  return absl::OkStatus();
}

absl::Status ReadOperators(const YamlDocument& document, const v1::PairConfig& file,
                           PairSettings& settings) {
  if (file.operators_size() > kMaxOperators)
    return document.ErrorAt("operators", absl::StrCat("has more than ", kMaxOperators));
  std::set<std::string> names;
  for (int i = 0; i < file.operators_size(); ++i) {
    const std::string field = absl::StrCat("operators[", i, "]");
    const v1::PairConfig::Operator& each = file.operators(i);
    ZC_RETURN_IF_ERROR(At(document, field + ".name", CheckNodeName(each.name())));
    if (!names.insert(each.name()).second)
      return document.ErrorAt(field + ".name", absl::StrCat("is '", each.name(), "', given twice"));
    const access::Right role = access::FromProto(each.role());
    if (role == access::Right::kNone)
      return document.ErrorAt(field + ".role", "is missing; expected VIEWER, OPERATOR or ADMIN");
    ZC_RETURN_IF_ERROR(At(document, field + ".key", CheckFingerprint(each.key())));
    settings.operators.push_back({each.name(), role, each.key()});
  }
  return absl::OkStatus();
}

absl::Status ReadBackends(const YamlDocument& document, const v1::PairConfig& file,
                          PairSettings& settings) {
  if (file.backends_size() > kMaxBackends)
    return document.ErrorAt("backends", absl::StrCat("has more than ", kMaxBackends));
  std::set<std::string> seen;
  for (int i = 0; i < file.backends_size(); ++i) {
    const std::string field = absl::StrCat("backends[", i, "]");
    ZC_RETURN_IF_ERROR(At(document, field, ParseEndpoint(file.backends(i)).status()));
    if (!seen.insert(file.backends(i)).second)
      return document.ErrorAt(field, absl::StrCat("is '", file.backends(i), "', given twice"));
    settings.backends.push_back(file.backends(i));
  }
  return absl::OkStatus();
}

absl::Status ReadFailback(const YamlDocument& document, const v1::PairConfig& file,
                          const AgentSettings& agent, PairSettings& settings) {
  settings.preferred = file.preferred();
  if (file.failback() == v1::FAILBACK_PREFERRED) settings.failback = core::Failback::kPreferred;
  const bool known = settings.preferred == agent.node_name || settings.preferred == agent.peer_name;
  if (!settings.preferred.empty() && !known) {
    return document.ErrorAt("preferred",
                            absl::StrCat("is '", Printable(settings.preferred), "'; expected ",
                                         agent.node_name, " or ", agent.peer_name));
  }
  if (settings.failback == core::Failback::kPreferred && settings.preferred.empty()) {
    return document.ErrorAt("preferred",
                            "is missing; failback PREFERRED needs the name of the preferred node");
  }
  return absl::OkStatus();
}

absl::StatusOr<int> ReadRouterId(const YamlDocument& document, const v1::PairConfig& file) {
  const uint32_t router_id = file.vrrp().router_id();
  if (router_id >= 1 && router_id <= 255) return static_cast<int>(router_id);
  return document.ErrorAt("vrrp.router_id",
                          router_id == 0 ? "is missing or 0; expected 1 to 255"
                                         : absl::StrCat("is ", router_id, "; expected 1 to 255"));
}

// What the text says, and in `file` the message as it stands there.
absl::StatusOr<PairSettings> Read(absl::string_view file_name, absl::string_view text,
                                  const AgentSettings& agent, v1::PairConfig& file) {
  YamlDocument document;
  ZC_RETURN_IF_ERROR(document.Read(file_name, text, file));
  ZC_RETURN_IF_ERROR(At(document, "name", CheckName(file.name())));
  ZC_ASSIGN_OR_RETURN(const int router_id, ReadRouterId(document, file));
  ZC_ASSIGN_OR_RETURN(const core::AdvertInterval interval, ReadInterval(document, file));
  PairSettings settings{
      .name = file.name(),
      .router_id = router_id,
      .advert_interval = interval,
      .multicast = file.vrrp().multicast(),
      .failback = core::Failback::kKeep,
      .preferred = "",
      .vips = {},
      .replicate_conntrack = !file.conntrack().has_replicate() || file.conntrack().replicate(),
      .replicate_labels = file.conntrack().labels(),
      .flow_rules = {},
      .roots = {},
      .commands = {},
      .operators = {},
      .backends = {},
      .health = {},
      .generation = file.generation(),
      .term = file.term()};
  ZC_RETURN_IF_ERROR(ReadFailback(document, file, agent, settings));
  ZC_RETURN_IF_ERROR(ReadVips(document, file, agent, settings));
  ZC_RETURN_IF_ERROR(ReadRoots(document, file, settings));
  ZC_RETURN_IF_ERROR(ReadCommands(document, file, settings));
  ZC_RETURN_IF_ERROR(ReadOperators(document, file, settings));
  ZC_RETURN_IF_ERROR(ReadBackends(document, file, settings));
  ZC_RETURN_IF_ERROR(ReadHealth(document, file.health(), settings.health));
  ZC_RETURN_IF_ERROR(ReadFlowRules(document, file.conntrack(), settings.flow_rules));
  return settings;
}

}  // namespace

absl::StatusOr<PairSettings> ParsePair(absl::string_view file_name, absl::string_view text,
                                       const AgentSettings& agent) {
  v1::PairConfig file;
  return Read(file_name, text, agent, file);
}

absl::StatusOr<v1::PairConfig> ReadPairFile(absl::string_view file_name, absl::string_view text,
                                            const AgentSettings& agent) {
  v1::PairConfig file;
  ZC_RETURN_IF_ERROR(Read(file_name, text, agent, file).status());
  return file;
}

}  // namespace zcluster::config
