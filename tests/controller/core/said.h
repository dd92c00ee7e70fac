// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "zcluster/v1/fleet.pb.h"
#include "zcluster/v1/fleet_link.pb.h"

// What agents and pairs look like in tests.
namespace zcluster::controller {

inline void Fill(v1::Node& node, const std::string& name, v1::Role role, v1::Status status,
                 const std::string& message) {
  node.set_hostname(name);
  node.set_role(role);
  node.set_status(status);
  node.set_message(message);
  node.set_ip("10.0.0.1");
}

// As `node` sees its pair with `peer`: both well.
inline v1::AgentReport Says(const std::string& node, v1::Role role, const std::string& peer,
                            v1::Role peer_role) {
  v1::AgentReport report;
  v1::GetStatusResponse& status = *report.mutable_status();
  Fill(*status.add_nodes(), node, role, v1::STATUS_GREEN, "as it should be");
  status.mutable_nodes(0)->set_local(true);
  status.mutable_nodes(0)->set_generation(3);
  Fill(*status.add_nodes(), peer, peer_role, v1::STATUS_GREEN, "there too");
  status.set_term(8);
  status.set_ready(true);
  status.mutable_conntrack()->set_flows(100);
  return report;
}

inline v1::AgentHello Hello(const std::string& pair, const std::string& node) {
  v1::AgentHello hello;
  hello.set_pair(pair);
  hello.set_node(node);
  hello.set_version("0.1.0");
  hello.set_protocol(1);
  hello.set_allow(v1::RIGHT_OPERATOR);
  hello.set_journal("j1");
  return hello;
}

}  // namespace zcluster::controller
