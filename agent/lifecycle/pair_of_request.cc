// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/pair_of_request.h"

#include "agent/lifecycle/change.h"

namespace zcluster::lifecycle {
namespace {

constexpr char kDefaultName[] = "main";
constexpr uint32_t kDefaultRouterId = 51;

}  // namespace

v1::PairConfig PairOf(const v1::CreateRequest& request, const std::string& preferred) {
  v1::PairConfig pair;
  pair.set_name(request.name().empty() ? kDefaultName : request.name());
  pair.mutable_vrrp()->set_router_id(request.router_id() == 0 ? kDefaultRouterId
                                                              : request.router_id());
  if (request.has_check_interval()) {
    *pair.mutable_vrrp()->mutable_advert_interval() = request.check_interval();
  }
  if (request.multicast()) pair.mutable_vrrp()->set_multicast(true);
  pair.set_failback(request.failback());
  pair.set_preferred(preferred);
  for (const std::string& vip : request.vips()) {
    const size_t at = vip.find('@');
    pair.add_vips()->set_address(vip.substr(0, at));
    if (at != std::string::npos) pair.mutable_vips()->rbegin()->set_interface(vip.substr(at + 1));
  }
  for (const std::string& root : request.roots()) pair.add_roots()->set_path(root);
  pair.set_generation(1);
  pair.set_term(1);
  return Complete(std::move(pair));
}

absl::Status CheckPair(const v1::CreateRequest& request, const config::AgentSettings& self) {
  // As this node will have it; what the names are will be known when the other has told its own.
  config::AgentSettings probe = self;
  probe.node_address = request.local_ip();
  probe.peer_address = request.remote_ip();
  probe.peer_name = self.node_name + "-peer";
  const v1::PairConfig pair = PairOf(request, self.node_name);
  return config::ParsePair("create", PairText(pair), probe).status();
}

}  // namespace zcluster::lifecycle
