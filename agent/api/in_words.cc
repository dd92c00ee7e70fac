// SPDX-License-Identifier: Apache-2.0
#include "agent/api/in_words.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/wire/wire.h"
#include "common/strings.h"

namespace zcluster::api {
namespace {

class Words {
 public:
  Words& Add(absl::string_view name, absl::string_view value) {
    if (!value.empty()) words_.push_back(absl::StrCat(name, "=", value));
    return *this;
  }
  template <typename List>
  Words& AddAll(absl::string_view name, const List& values) {
    return Add(name, absl::StrJoin(values, ","));
  }
  Words& AddNumber(absl::string_view name, uint64_t value) {
    return value == 0 ? *this : Add(name, absl::StrCat(value));
  }
  Words& AddFlag(absl::string_view name, bool set) {
    if (set) words_.emplace_back(name);
    return *this;
  }
  std::string Line() const { return absl::StrJoin(words_, " "); }

 private:
  std::vector<std::string> words_;
};

std::string Failback(v1::Failback failback) {
  return failback == v1::FAILBACK_UNSPECIFIED ? "" : v1::Failback_Name(failback);
}

template <typename Message>
std::string Duration(const Message& message, bool has) {
  return has ? absl::FormatDuration(wire::FromProto(message)) : "";
}

}  // namespace

std::string InWords(const v1::CreateRequest& r) {
  const char* admission = r.has_token() ? "token" : r.has_password() ? "password" : "";
  return Words()
      .Add("local_ip", r.local_ip())
      .Add("remote_ip", r.remote_ip())
      .Add("bootstrap", r.bootstrap())
      .Add("admission", admission)
      .Add("fingerprint", r.fingerprint())
      .Add("name", r.name())
      .AddNumber("router_id", r.router_id())
      .Add("check_interval", Duration(r.check_interval(), r.has_check_interval()))
      .AddFlag("multicast", r.multicast())
      .Add("failback", Failback(r.failback()))
      .AddAll("vips", r.vips())
      .Add("local_link", r.local_link())
      .Add("remote_link", r.remote_link())
      .AddAll("roots", r.roots())
      .Line();
}

std::string InWords(const v1::ApplyRequest& r) {
  const v1::Change& change = r.change();
  const std::string document =
      change.document().empty() ? "" : absl::StrCat(change.document().size(), "_bytes");
  return Words()
      .Add("document", document)
      .Add("check_interval", Duration(change.check_interval(), change.has_check_interval()))
      .Add("multicast", change.has_multicast() ? change.multicast() ? "yes" : "no" : "")
      .Add("failback", Failback(change.failback()))
      .Add("preferred", change.preferred())
      .AddAll("add_vips", change.add_vips())
      .AddAll("remove_vips", change.remove_vips())
      .AddNumber("generation", r.generation())
      .AddFlag("accept_disturbance", r.accept_disturbance())
      .Line();
}

std::string InWords(const v1::UnconfigureRequest& r) {
  return Words().AddFlag("local", r.local()).Line();
}

std::string InWords(const v1::TokenRequest& r) {
  return Words().Add("lifetime", Duration(r.lifetime(), r.has_lifetime())).Line();
}

std::string InWords(const v1::AddOperatorRequest& r) {
  return Words().Add("name", r.name()).Add("role", v1::Right_Name(r.role())).Line();
}

std::string InWords(const v1::RevokeOperatorRequest& r) {
  return Words().Add("name", r.name()).Line();
}

std::string InWords(const v1::EnterRequest& r) {
  return Words()
      .AddFlag("force", r.force())
      .Add("for", Duration(r.length(), r.has_length()))
      .Add("reason", Printable(r.reason()))
      .Line();
}

std::string InWords(const v1::SwitchoverRequest& r) {
  return Words()
      .AddFlag("force", r.force())
      .AddFlag("leave", r.leave())
      .Add("reason", Printable(r.reason()))
      .Add("asked_by", Printable(r.asked_by()))
      .Line();
}

std::string InWords(const v1::FreezeRequest& r) {
  return Words().Add("reason", Printable(r.reason())).Line();
}

std::string InWords(bool force) { return force ? "force" : ""; }

}  // namespace zcluster::api
