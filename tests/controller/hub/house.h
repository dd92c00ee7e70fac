// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/pki.h"
#include "controller/hub/hub.h"
#include "tests/controller/core/said.h"
#include "tests/controller/hub/fakes.h"

namespace zcluster::controller {

// A hub between a store and streams that the test plays, on a loop that need not run. The
// certificates are real.
struct House {
  explicit House(Hub::Options options = DefaultOptions()) {
    store.kept.pairs = {{"web-1", "SHA256:ca", {{"env", "prod"}}}};
    for (const char* node : {"lb1", "lb2"}) {
      AgentRecord agent;
      agent.id = {"web-1", node};
      agent.key = KeyOf(node);
      store.kept.agents.push_back(agent);
    }
    Open(std::move(options));
  }

  // As after a restart: with what the store holds.
  void Open(Hub::Options options = DefaultOptions()) {
    hub.reset();
    agents.there.clear();
    hub = std::make_unique<Hub>(
        loop, std::move(options), store,
        Signer{[this](const std::string& request, const pki::Terms& terms) {
                 return pki::Sign(request, ca, ca_key, terms);
               },
               [this] { return ca; }, absl::Hours(24 * 90)},
        [this](std::vector<access::Operator> now) { admitted = std::move(now); });
    hub->SetAgents(&agents);
    agents.listener = hub.get();
  }

  static Hub::Options DefaultOptions() {
    Hub::Options options;
    options.acknowledge_within = absl::ZeroDuration();
    options.fleet = "acme";
    options.controller = "c1";
    options.version = "0.1.0";
    options.max_agents = 10;
    options.addresses = {"c1.example.org:7802"};
    return options;
  }
  static std::string KeyOf(const std::string& name) { return absl::StrCat("SHA256:", name); }

  absl::StatusOr<v1::Welcome> Connect(const AgentId& agent, const std::string& key = "",
                                      v1::AgentHello hello = {}) {
    if (hello.pair().empty()) hello = Hello(agent.pair, agent.node);
    absl::StatusOr<v1::Welcome> welcome =
        hub->OnHello({agent, key.empty() ? KeyOf(agent.node) : key, "192.0.2.7"}, hello);
    if (welcome.ok()) agents.there.insert(agent);
    return welcome;
  }
  void ConnectBoth() {
    ASSERT_TRUE(Connect(lb1).ok());
    ASSERT_TRUE(Connect(lb2).ok());
    hub->OnReport(lb1, Says("lb1", v1::ROLE_MASTER, "lb2", v1::ROLE_BACKUP));
    hub->OnReport(lb2, Says("lb2", v1::ROLE_BACKUP, "lb1", v1::ROLE_MASTER));
  }
  void Leave(const AgentId& agent) {
    agents.there.erase(agent);
    hub->OnGone(agent, "the connection was lost");
  }
  static v1::EventBatch Batch(uint64_t first, uint64_t last, size_t bytes = 0) {
    v1::EventBatch batch;
    for (uint64_t number = first; number <= last; ++number) {
      v1::Event& event = *batch.add_events();
      event.set_number(number);
      event.set_name(absl::StrCat("e", number));
      for (size_t left = bytes; left >= 1000; left -= 1000)
        event.add_fields()->set_value(std::string(1000, 'x'));
    }
    return batch;
  }
  // What the agent was acknowledged last; 0: nothing.
  uint64_t TakenOf(const AgentId& agent) {
    uint64_t taken = 0;
    for (const v1::ControllerMessage& message : agents.sent[agent]) {
      if (message.has_events_taken()) taken = message.events_taken().number();
    }
    return taken;
  }

  std::string ca_key = *pki::MakeKey();
  std::string ca = *pki::MakeCa(ca_key, "acme");
  const AgentId lb1{"web-1", "lb1"};
  const AgentId lb2{"web-1", "lb2"};
  Loop loop;
  FakeStore store;
  FakeAgents agents;
  std::vector<access::Operator> admitted;
  std::unique_ptr<Hub> hub;
};

}  // namespace zcluster::controller
