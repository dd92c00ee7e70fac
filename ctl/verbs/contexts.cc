// SPDX-License-Identifier: Apache-2.0
// zctl context add, use, list, remove: which pair or fleet zctl speaks to.
#include "ctl/remote/contexts.h"

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/file.h"
#include "common/status.h"
#include "ctl/output/table.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"

namespace zcluster::ctl {
namespace {

constexpr size_t kMaxFile = 256 << 10;

ExitCode Done(Context& context, const std::string& text, const Json& json) {
  if (ForPrograms(context)) {
    Print(context, json);
  } else {
    context.out << Sanitise(text) << '\n';
  }
  return ExitCode::kOk;
}

absl::StatusOr<Credential> GivenCredential(const Context& context) {
  const std::string file = context.Value("--credential");
  if (file.empty()) {
    return absl::InvalidArgumentError(
        "--credential is missing: the file that `zctl operator add` wrote");
  }
  ZC_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxFile));
  ZC_ASSIGN_OR_RETURN(Credential credential, ParseCredential(file, text));
  const std::vector<std::string> addresses = context.Values("--address");
  for (const std::string& address : addresses) {
    ZC_RETURN_IF_ERROR(Annotate(CheckAddress(address), "--address"));
  }
  if (!addresses.empty()) credential.addresses = addresses;
  ZC_RETURN_IF_ERROR(Annotate(CheckCredential(credential), file));
  return credential;
}

}  // namespace

ExitCode ContextAdd(Context& context) {
  const std::string& name = context.words[0];
  const auto credential = GivenCredential(context);
  if (!credential.ok()) return Fail(context, credential.status());
  const absl::Status added = Contexts::OfUser().Add(name, *credential);
  if (!added.ok()) return Fail(context, added);
  return Done(
      context,
      absl::StrCat("context ", name, ": operator ", credential->name, " of ", credential->pair,
                   "; `zctl context use ", name, "` makes it the default"),
      Json::Object({{"context", Json::String(name)},
                    {"pair", Json::String(credential->pair)},
                    {"operator", Json::String(credential->name)},
                    {"addresses", Json::Strings(credential->addresses)}}));
}

ExitCode ContextUse(Context& context) {
  const std::string& name = context.words[0];
  const absl::Status used = Contexts::OfUser().Use(name);
  if (!used.ok()) return Fail(context, used);
  return Done(context,
              name == kLocalContext        ? "from now on: the agent of this node"
              : name == kControllerContext ? "from now on: the controller on this machine"
                                           : absl::StrCat("from now on: ", name),
              Json::Object({{"context", Json::String(name)}}));
}

ExitCode ContextList(Context& context) {
  const Contexts contexts = Contexts::OfUser();
  const auto names = contexts.Names();
  if (!names.ok()) return Fail(context, names.status());
  const auto chosen = ChosenContext(context);
  if (!chosen.ok()) return Fail(context, chosen.status());
  Table table({"NAME", "PAIR", "OPERATOR", "ADDRESSES", "IN USE"});
  std::vector<Json> list;
  const auto add = [&](const std::string& name, const Credential& of, const std::string& problem) {
    const bool in_use = name == *chosen;
    table.Add({name, of.pair, of.name, problem.empty() ? absl::StrJoin(of.addresses, " ") : problem,
               in_use ? "yes" : ""});
    list.push_back(Json::Object({{"name", Json::String(name)},
                                 {"pair", Json::String(of.pair)},
                                 {"operator", Json::String(of.name)},
                                 {"addresses", Json::Strings(of.addresses)},
                                 {"in_use", Json::Bool(in_use)},
                                 {"problem", Json::String(problem)}}));
  };
  const Credential none;  // the built-in ones need none
  add(kLocalContext, none, "");
  add(kControllerContext, none, "");
  for (const std::string& name : *names) {
    // One that is broken hides no other.
    const auto credential = contexts.Get(name);
    add(name, credential.ok() ? *credential : Credential(),
        std::string(credential.status().message()));
  }
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"contexts", Json::List(std::move(list))}}));
  } else {
    context.out << table.Render(context.style);
  }
  return ExitCode::kOk;
}

ExitCode ContextRemove(Context& context) {
  const std::string& name = context.words[0];
  const absl::Status removed = Contexts::OfUser().Remove(name);
  if (!removed.ok()) return Fail(context, removed);
  return Done(context,
              absl::StrCat("context ", name,
                           " is gone; the operator is still admitted "
                           "(zctl operator revoke)"),
              Json::Object({{"removed", Json::String(name)}}));
}

}  // namespace zcluster::ctl
