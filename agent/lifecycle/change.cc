// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/change.h"

#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/config/check.h"
#include "agent/config/health_section.h"
#include "common/digest.h"
#include "common/status.h"
#include "common/yaml.h"

namespace zcluster::lifecycle {
namespace {

using google::protobuf::util::MessageDifferencer;
using google::protobuf::util::TimeUtil;

constexpr absl::string_view kHeader =
    "# The pair's configuration, the same on both nodes, which keep it alike: change it by\n"
    "# `zctl cluster configure`, `edit` or `apply`, not here.\n";

// The address alone, canonical; as it stands if it is none.
std::string HostOf(absl::string_view vip) {
  const absl::StatusOr<config::Address> address = config::ParseAddress(vip);
  return address.ok() ? address->text : std::string(vip);
}

absl::StatusOr<v1::PairConfig> FromDocument(const v1::PairConfig& present,
                                            const v1::Change& change) {
  const std::string name = change.document_name().empty() ? "document" : change.document_name();
  YamlDocument document;
  v1::PairConfig config;
  ZC_RETURN_IF_ERROR(document.Read(name, change.document(), config));
  if (config.generation() != 0 && config.generation() != present.generation()) {
    const absl::Status at = document.ErrorAt(
        "generation",
        absl::StrCat("was made from generation ", config.generation(), ", the present one is ",
                     present.generation(),
                     "; look at that (zctl cluster describe -o yaml) and make the change again"));
    return absl::AbortedError(at.message());
  }
  if (config.name() != present.name()) {
    return document.ErrorAt(
        "name", absl::StrCat("is '", config.name(), "'; the pair is called '", present.name(),
                             "', which its certificates say, and cannot be renamed"));
  }
  return config;
}

absl::Status RemoveVips(const v1::Change& change, v1::PairConfig& config) {
  for (const std::string& text : change.remove_vips()) {
    const absl::StatusOr<config::Address> address = config::ParseAddress(text);
    if (!address.ok()) return Annotate(address.status(), "vip-remove");
    auto& vips = *config.mutable_vips();
    const auto found = std::find_if(vips.begin(), vips.end(), [&](const auto& vip) {
      return HostOf(vip.address()) == address->text;
    });
    if (found == vips.end()) {
      return absl::InvalidArgumentError(absl::StrCat("vip-remove: the pair has no VIP ",
                                                     address->text,
                                                     "; `zctl cluster describe` lists them"));
    }
    vips.erase(found);
  }
  return absl::OkStatus();
}

absl::Status AddVips(const v1::Change& change, v1::PairConfig& config) {
  for (const std::string& text : change.add_vips()) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('@', 1));
    const absl::StatusOr<config::Address> address = config::ParseAddress(parts.first);
    if (!address.ok()) return Annotate(address.status(), "vip-add");
    if (address->prefix_length < 0) {
      return absl::InvalidArgumentError(absl::StrCat("vip-add: '", text,
                                                     "' has no prefix length; give it, such as ",
                                                     address->text, address->v6 ? "/64" : "/24"));
    }
    for (const auto& vip : config.vips()) {
      if (HostOf(vip.address()) != address->text) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("vip-add: the pair has the VIP ", vip.address(), " already"));
    }
    auto& vip = *config.add_vips();
    vip.set_address(absl::StrCat(address->text, "/", address->prefix_length));
    vip.set_interface(parts.second);
  }
  return absl::OkStatus();
}

// Takes `gone` out of `list` and puts `come` behind. `flag` is what comes or goes, as in zctl's
// flags.
absl::Status ChangeNames(absl::string_view flag, absl::string_view noun,
                         const google::protobuf::RepeatedPtrField<std::string>& come,
                         const google::protobuf::RepeatedPtrField<std::string>& gone,
                         google::protobuf::RepeatedPtrField<std::string>& list) {
  for (const std::string& name : gone) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const std::string& one) {
      return HostOf(one) == HostOf(name);
    });
    if (found == list.end()) {
      return absl::InvalidArgumentError(absl::StrCat(flag, "-remove: the pair has no ", noun, " ",
                                                     name, "; `zctl cluster describe` lists them"));
    }
    list.erase(found);
  }
  for (const std::string& name : come) *list.Add() = name;
  return absl::OkStatus();
}

absl::Status ChangeHealth(const v1::Change& change, v1::PairConfig& config) {
  if (change.track_interfaces().empty() && change.untrack_interfaces().empty() &&
      change.add_gateways().empty() && change.remove_gateways().empty()) {
    return absl::OkStatus();
  }
  v1::PairConfig::Health& health = *config.mutable_health();
  ZC_RETURN_IF_ERROR(ChangeNames("track", "tracked interface", change.track_interfaces(),
                                 change.untrack_interfaces(), *health.mutable_interfaces()));
  ZC_RETURN_IF_ERROR(ChangeNames("gateway", "gateway", change.add_gateways(),
                                 change.remove_gateways(), *health.mutable_gateways()));
  if (health.interfaces().empty() && health.gateways().empty() && !health.has_check())
    config.clear_health();
  return absl::OkStatus();
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  return TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(duration));
}

void CompleteCheck(v1::PairConfig::Health::Check& check) {
  if (!check.has_interval()) *check.mutable_interval() = ToProto(config::kCheckInterval);
  if (!check.has_timeout()) {
    *check.mutable_timeout() = std::min(ToProto(config::kCheckTimeout), check.interval());
  }
  if (!check.has_rise()) check.set_rise(config::kCheckRise);
  if (!check.has_fall()) check.set_fall(config::kCheckFall);
}

}  // namespace

absl::StatusOr<v1::PairConfig> Changed(const v1::PairConfig& present, const v1::Change& change,
                                       absl::string_view master) {
  v1::PairConfig config = present;
  if (!change.document().empty()) {
    ZC_ASSIGN_OR_RETURN(config, FromDocument(present, change));
  }
  config.set_generation(present.generation());
  config.set_term(present.term());
  if (change.has_check_interval()) {
    *config.mutable_vrrp()->mutable_advert_interval() = change.check_interval();
  }
  if (change.has_multicast()) config.mutable_vrrp()->set_multicast(change.multicast());
  if (change.failback() != v1::FAILBACK_UNSPECIFIED) config.set_failback(change.failback());
  if (!change.preferred().empty()) config.set_preferred(change.preferred());
  if (config.failback() == v1::FAILBACK_PREFERRED && config.preferred().empty()) {
    config.set_preferred(std::string(master));
  }
  ZC_RETURN_IF_ERROR(RemoveVips(change, config));
  ZC_RETURN_IF_ERROR(AddVips(change, config));
  ZC_RETURN_IF_ERROR(ChangeHealth(change, config));
  return config;
}

bool SameButGeneration(const v1::PairConfig& a, const v1::PairConfig& b) {
  v1::PairConfig left = Complete(a);
  v1::PairConfig right = Complete(b);
  for (v1::PairConfig* config : {&left, &right}) {
    config->clear_generation();
    config->clear_term();
  }
  return MessageDifferencer::Equals(left, right);
}

bool IsLater(const v1::PairConfig& a, const v1::PairConfig& b) {
  const auto rank = [](const v1::PairConfig& config) {
    return std::make_tuple(config.term(), config.generation(), Sha256(PairText(config)));
  };
  return rank(a) > rank(b);
}

std::vector<std::string> Disturbances(const v1::PairConfig& before, const v1::PairConfig& after) {
  std::vector<std::string> result;
  if (before.vrrp().router_id() != after.vrrp().router_id()) {
    result.push_back(
        "the VRRP router id changes: while one node has the new one and the other the old one, "
        "both "
        "may hold the VIPs, for about a second");
  }
  if (before.vrrp().multicast() != after.vrrp().multicast()) {
    result.push_back(
        "adverts go another way: keepalived begins anew on either node, so that the VIPs move, and "
        "until both have changed, for about a second, both may hold them");
  }
  if (Complete(before).conntrack().replicate() && !Complete(after).conntrack().replicate()) {
    result.push_back("connections are replicated no longer: they will break at the next failover");
  }
  return result;
}

bool MasterGoesFirst(const v1::PairConfig& before, const v1::PairConfig& after) {
  return Complete(after).vrrp().advert_interval() < Complete(before).vrrp().advert_interval();
}

bool BackupGoesFirst(const v1::PairConfig& before, const v1::PairConfig& after) {
  return MasterGoesFirst(after, before);
}

std::string PairText(const v1::PairConfig& config) {
  return absl::StrCat(kHeader, WriteYaml(config));
}

bool IsPairText(absl::string_view text) { return absl::StartsWith(text, kHeader); }

v1::PairConfig Complete(v1::PairConfig config) {
  if (!config.vrrp().has_advert_interval()) {
    *config.mutable_vrrp()->mutable_advert_interval() = TimeUtil::SecondsToDuration(1);
  }
  if (config.failback() == v1::FAILBACK_UNSPECIFIED) config.set_failback(v1::FAILBACK_KEEP);
  if (!config.conntrack().has_replicate()) config.mutable_conntrack()->set_replicate(true);
  if (config.health().has_check()) CompleteCheck(*config.mutable_health()->mutable_check());
  return config;
}

}  // namespace zcluster::lifecycle
