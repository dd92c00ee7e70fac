// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/facts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "agent/config/check.h"
#include "agent/lifecycle/member.h"
#include "agent/machine/machine.h"
#include "common/protocol.h"
#include "common/status.h"

namespace zcluster::lifecycle {
namespace {

std::string Usable(const std::vector<machine::Address>& addresses) {
  std::vector<std::string> usable;
  for (const machine::Address& address : addresses) {
    if (address.refused.empty()) {
      usable.push_back(absl::StrCat(address.address, " (", address.interface, ")"));
    }
  }
  return usable.empty() ? "none" : absl::StrJoin(usable, ", ");
}

// The address that the pair shall use here.
void LookAtAddress(const std::string& name, const std::vector<machine::Address>& addresses,
                   const v1::Ask& ask, v1::Facts& facts) {
  const machine::Address* found = machine::Find(addresses, ask.address());
  if (found == nullptr) {
    facts.add_problems(absl::StrCat(ask.address(), " is not an address of ", name,
                                    "; it has: ", Usable(addresses)));
    return;
  }
  facts.set_interface(found->interface);
  facts.set_prefix_length(static_cast<uint32_t>(found->prefix_length));
  if (!found->refused.empty()) {
    facts.add_problems(absl::StrCat(ask.address(), " on ", name, " cannot carry a pair: ",
                                    found->refused, "; use one of: ", Usable(addresses)));
  } else if (!machine::SameNetwork(*found, ask.peer_address())) {
    facts.add_problems(absl::StrCat(ask.address(), "/", found->prefix_length, " on ", name, " and ",
                                    ask.peer_address(),
                                    " are in different subnets; VRRP needs both nodes in one"));
  }
}

}  // namespace

absl::StatusOr<v1::Facts> LookAtSelf(const config::AgentSettings& self, const Paths& paths,
                                     const v1::Ask& ask) {
  v1::Facts facts;
  const std::string& name = self.node_name;
  facts.set_name(name);
  facts.set_version(ZC_VERSION);
  facts.set_protocol(kPeerProtocol);
  facts.set_link_port(static_cast<uint32_t>(self.listen_port));
  ZC_ASSIGN_OR_RETURN(const std::vector<machine::Address> addresses, machine::Addresses({}));
  LookAtAddress(name, addresses, ask, facts);
  if (!ask.link_address().empty() && machine::Find(addresses, ask.link_address()) == nullptr) {
    facts.add_problems(absl::StrCat(ask.link_address(),
                                    ", the address for the pair's own wire, is "
                                    "not an address of ",
                                    name, "; it has: ", Usable(addresses)));
  }
  machine::Needs needs;
  needs.ports = {self.listen_port, self.api_port};
  for (const std::string& lack : machine::Lacks(needs)) {
    facts.add_problems(absl::StrCat(name, ": ", lack));
  }
  if (const absl::Status fits = CheckInstallable(paths); !fits.ok()) {
    facts.add_problems(absl::StrCat(name, ": ", fits.message()));
  }
  const absl::Time now = absl::Now();
  facts.mutable_now()->set_seconds(absl::ToUnixSeconds(now));
  facts.mutable_now()->set_nanos(static_cast<int32_t>(
      (now - absl::FromUnixSeconds(absl::ToUnixSeconds(now))) / absl::Nanoseconds(1)));
  return facts;
}

absl::Status Compare(const v1::Facts& here, const v1::Facts& there, absl::Time heard,
                     absl::Duration round_trip) {
  const uint32_t low = std::min(here.protocol(), there.protocol());
  const uint32_t high = std::max(here.protocol(), there.protocol());
  if (high - low > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("the versions are too far apart: ", here.name(), " has ", here.version(),
                     " (protocol ", here.protocol(), "), ", there.name(), " has ", there.version(),
                     " (protocol ", there.protocol(), "); upgrade the older one"));
  }
  if (const absl::Status name = config::CheckNodeName(there.name()); !name.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the other node's name ", name.message(), "; set its host name"));
  }
  if (here.name() == there.name()) {
    return absl::FailedPreconditionError(
        absl::StrCat("both nodes call themselves '", here.name(),
                     "'; change the host name of one (hostnamectl set-hostname) and restart zagent "
                     "there"));
  }
  const absl::Time theirs =
      absl::FromUnixSeconds(there.now().seconds()) + absl::Nanoseconds(there.now().nanos());
  const absl::Duration apart = theirs - (heard - round_trip / 2);
  if (absl::AbsDuration(apart) > kMaxClockSkew) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the clocks are ",
        absl::FormatDuration(
            absl::Trunc(absl::AbsDuration(apart) + absl::Milliseconds(500), absl::Seconds(1))),
        " apart (", there.name(), " is ", apart > absl::ZeroDuration() ? "ahead" : "behind",
        "); at most ", absl::FormatDuration(kMaxClockSkew),
        " are allowed: set them, or run chrony on both"));
  }
  for (const v1::Facts* facts : {&here, &there}) {
    if (facts->problems_size() == 0) continue;
    return absl::FailedPreconditionError(absl::StrJoin(facts->problems(), "; "));
  }
  return absl::OkStatus();
}

}  // namespace zcluster::lifecycle
