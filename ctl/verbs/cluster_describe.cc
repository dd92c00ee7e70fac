// SPDX-License-Identifier: Apache-2.0
// zctl cluster describe: the pair's configuration, and where its nodes are.
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ctl/output/figures.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

using Reply = v1::DescribeResponse;

bool Replicates(const v1::PairConfig& config) {
  return !config.conntrack().has_replicate() || config.conntrack().replicate();
}

// ---- JSON

Json MembersJson(const Reply& reply) {
  std::vector<Json> list;
  for (const Reply::Member& member : reply.members()) {
    list.push_back(
        Json::Object({{"name", Json::String(member.name())},
                      {"address", Json::String(member.address())},
                      {"interface", Json::String(member.interface())},
                      {"generation",
                       member.generation() == 0 ? Json::Null() : Json::Number(member.generation())},
                      {"certificate_expires", member.has_certificate_expires()
                                                  ? Json::Time(ToAbsl(member.certificate_expires()))
                                                  : Json::Null()}}));
  }
  return Json::List(std::move(list));
}

Json VipsJson(const v1::PairConfig& config) {
  std::vector<Json> list;
  for (const v1::PairConfig::Vip& vip : config.vips()) {
    list.push_back(Json::Object(
        {{"address", Json::String(vip.address())}, {"interface", Json::String(vip.interface())}}));
  }
  return Json::List(std::move(list));
}

Json RootsJson(const v1::PairConfig& config) {
  std::vector<Json> list;
  for (const v1::PairConfig::Root& root : config.roots()) {
    list.push_back(
        Json::Object({{"path", Json::String(root.path())},
                      {"exclude", Json::Strings({root.exclude().begin(), root.exclude().end()})}}));
  }
  return Json::List(std::move(list));
}

Json OperatorsJson(const v1::PairConfig& config) {
  std::vector<Json> list;
  for (const v1::PairConfig::Operator& who : config.operators()) {
    list.push_back(Json::Object(
        {{"name", Json::String(who.name())}, {"role", Json::String(Word(who.role()))}}));
  }
  return Json::List(std::move(list));
}

Json CommandsJson(const v1::PairConfig& config) {
  std::vector<std::string> names;
  for (const v1::PairConfig::Command& command : config.commands()) names.push_back(command.name());
  return Json::Strings(names);
}

Json HealthJson(const v1::PairConfig& config) {
  const v1::PairConfig::Health& health = config.health();
  const v1::PairConfig::Health::Check& check = health.check();
  return Json::Object(
      {{"interfaces", Json::Strings({health.interfaces().begin(), health.interfaces().end()})},
       {"gateways", Json::Strings({health.gateways().begin(), health.gateways().end()})},
       {"check", health.has_check()
                     ? Json::Object({{"command", Json::Strings({check.command().begin(),
                                                                check.command().end()})},
                                     {"interval_ms", Json::Milliseconds(ToAbsl(check.interval()))},
                                     {"timeout_ms", Json::Milliseconds(ToAbsl(check.timeout()))},
                                     {"rise", Json::Number(check.rise())},
                                     {"fall", Json::Number(check.fall())}})
                     : Json::Null()}});
}

using Rule = v1::PairConfig::Conntrack::Rule;

// What of a rule is given, as the document calls it.
std::vector<std::pair<std::string, std::string>> RuleFields(const Rule& rule) {
  std::vector<std::pair<std::string, std::string>> fields = {
      {"protocol", rule.protocol()},
      {"address", rule.address()},
      {"source", rule.source()},
      {"destination", rule.destination()},
      {"port", rule.port()},
      {"source_port", rule.source_port()},
      {"destination_port", rule.destination_port()},
      {"state", absl::StrJoin(rule.state(), "|")},
      {"mark", rule.mark()},
      {"zone", rule.has_zone() ? absl::StrCat(rule.zone()) : ""},
      {"direction", rule.direction() == v1::PairConfig::Conntrack::DIRECTION_REPLY      ? "REPLY"
                    : rule.direction() == v1::PairConfig::Conntrack::DIRECTION_ORIGINAL ? "ORIGINAL"
                                                                                        : ""}};
  std::erase_if(fields, [](const auto& field) { return field.second.empty(); });
  return fields;
}

Json RulesJson(const google::protobuf::RepeatedPtrField<Rule>& rules) {
  std::vector<Json> list;
  for (const Rule& rule : rules) {
    Json::Members members;
    for (const auto& [name, value] : RuleFields(rule))
      members.emplace_back(name, Json::String(value));
    list.push_back(Json::Object(std::move(members)));
  }
  return Json::List(std::move(list));
}

Json DescribeJson(const Reply& reply) {
  const v1::PairConfig& config = reply.config();
  return Json::Object(
      {{"pair", Json::String(config.name())},
       {"generation", Json::Number(config.generation())},
       {"term", Json::Number(config.term())},
       {"members", MembersJson(reply)},
       {"router_id", Json::Number(config.vrrp().router_id())},
       {"multicast", Json::Bool(config.vrrp().multicast())},
       {"check_interval_ms", Json::Milliseconds(ToAbsl(config.vrrp().advert_interval()))},
       {"failback", Json::String(Word(config.failback()))},
       {"preferred", config.preferred().empty() ? Json::Null() : Json::String(config.preferred())},
       {"split_brain", Json::String(reply.split_brain())},
       {"vips", VipsJson(config)},
       {"replicate_connections", Json::Bool(Replicates(config))},
       {"replicate_only", RulesJson(config.conntrack().only())},
       {"replicate_skip", RulesJson(config.conntrack().skip())},
       {"roots", RootsJson(config)},
       {"health", HealthJson(config)},
       {"commands", CommandsJson(config)},
       {"operators", OperatorsJson(config)}});
}

// ---- the screen

std::string FailbackText(const v1::PairConfig& config) {
  if (config.failback() != v1::FAILBACK_PREFERRED) return "KEEP: the current master stays";
  return absl::StrCat("PREFERRED: back to ", config.preferred(), " once it is synchronised");
}

std::string InterfaceText(const Reply::Member& member) {
  return absl::StrCat(member.name(), ": ",
                      member.interface().empty() ? "not known" : member.interface(), " (",
                      member.address(), ")");
}

std::string GenerationText(const Reply& reply) {
  std::string text = absl::StrCat(reply.config().generation());
  for (const Reply::Member& member : reply.members()) {
    if (member.generation() == reply.config().generation()) continue;
    absl::StrAppend(
        &text, "; ", member.name(), " holds ",
        member.generation() == 0 ? "one that is not known" : absl::StrCat(member.generation()));
  }
  return text;
}

std::string VipText(const v1::PairConfig::Vip& vip) {
  return vip.interface().empty() ? vip.address()
                                 : absl::StrCat(vip.address(), " on ", vip.interface());
}

std::vector<std::string> ConnectionTexts(const v1::PairConfig& config) {
  if (!Replicates(config)) return {"not replicated"};
  const auto text = [](const char* how, const Rule& rule) {
    return absl::StrCat(how, absl::StrJoin(RuleFields(rule), ", ", absl::PairFormatter(" ")));
  };
  std::vector<std::string> texts = {"replicated"};
  for (const Rule& rule : config.conntrack().only()) texts.push_back(text("only ", rule));
  for (const Rule& rule : config.conntrack().skip()) texts.push_back(text("not ", rule));
  return texts;
}

std::string RootText(const v1::PairConfig::Root& root) {
  return root.exclude().empty()
             ? root.path()
             : absl::StrCat(root.path(), " without ", absl::StrJoin(root.exclude(), " "));
}

std::vector<std::string> HealthTexts(const v1::PairConfig::Health& health) {
  std::vector<std::string> texts;
  for (const std::string& name : health.interfaces()) {
    texts.push_back(absl::StrCat("interface ", name));
  }
  for (const std::string& address : health.gateways()) {
    texts.push_back(absl::StrCat("gateway ", address));
  }
  if (health.has_check()) {
    const v1::PairConfig::Health::Check& check = health.check();
    texts.push_back(absl::StrCat("check ", absl::StrJoin(check.command(), " "), " each ",
                                 Short(ToAbsl(check.interval())), ", killed after ",
                                 Short(ToAbsl(check.timeout())), ", rise ", check.rise(), ", fall ",
                                 check.fall()));
  }
  return texts;
}

std::string MemberText(const Reply::Member& member) {
  return absl::StrCat(
      member.name(), ": ", member.address(), ", certificate good until ",
      member.has_certificate_expires() ? Date(ToAbsl(member.certificate_expires())) : "not known");
}

// One line for each of `texts`, the first of them after `name`.
void AddAll(const std::string& name, const std::vector<std::string>& texts, Table& table) {
  for (size_t i = 0; i < texts.size(); ++i) {
    table.Add({{i == 0 ? name : "", Colour::kBold}, texts[i]});
  }
  if (texts.empty()) table.Add({{name, Colour::kBold}, "none"});
}

template <typename List, typename Text>
std::vector<std::string> Texts(const List& list, Text text) {
  std::vector<std::string> texts;
  for (const auto& element : list) texts.push_back(text(element));
  return texts;
}

std::string Screen(const Reply& reply, const Style& style) {
  const v1::PairConfig& config = reply.config();
  Table table({});
  AddAll("PAIR", {config.name()}, table);
  AddAll("INTERFACE", Texts(reply.members(), InterfaceText), table);
  AddAll("FAILBACK", {FailbackText(config)}, table);
  AddAll("CHECK INTERVAL", {Short(ToAbsl(config.vrrp().advert_interval()))}, table);
  AddAll("VIPS", Texts(config.vips(), VipText), table);
  AddAll("CONNECTIONS", ConnectionTexts(config), table);
  AddAll("ROOTS", Texts(config.roots(), RootText), table);
  AddAll("HEALTH", HealthTexts(config.health()), table);
  AddAll("SPLIT BRAIN", {reply.split_brain()}, table);
  AddAll("GENERATION", {GenerationText(reply)}, table);
  AddAll("MEMBERS", Texts(reply.members(), MemberText), table);
  AddAll("ROUTER ID", {absl::StrCat(config.vrrp().router_id())}, table);
  AddAll("ADVERTS", {config.vrrp().multicast() ? "multicast" : "unicast"}, table);
  AddAll("COMMANDS", {absl::StrCat(config.commands_size())}, table);
  AddAll("OPERATORS", {absl::StrCat(config.operators_size())}, table);
  return table.Render(style);
}

}  // namespace

ExitCode ClusterDescribe(Context& context) {
  Reply reply;
  const absl::Status status =
      Ask(context, [&reply](const Channel& channel, grpc::ClientContext* call) {
        return v1::ClusterService::NewStub(channel)->Describe(call, v1::DescribeRequest(), &reply);
      });
  if (!status.ok()) return Fail(context, status);
  if (context.format == Format::kYaml) {
    context.out << reply.document();  // to the byte: it is edited and given back to `apply`
  } else if (context.format == Format::kJson) {
    Print(context, DescribeJson(reply));
  } else {
    context.out << Screen(reply, context.style);
  }
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
