// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/fleet/samples.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/loop.h"

namespace zcluster::fleet_bench {
namespace {

constexpr char kSent[] = "sent";

void AddNode(v1::GetStatusResponse& status, bool local, bool master) {
  v1::Node& node = *status.add_nodes();
  node.set_local(local);
  node.set_role(master ? v1::ROLE_MASTER : v1::ROLE_BACKUP);
  node.set_ip(master ? "10.10.0.1" : "10.10.0.2");
  node.set_hostname(master ? "lb1" : "lb2");
  node.set_status(v1::STATUS_GREEN);
  node.set_message(master ? "serves 4 VIPs" : "ready to take over");
  node.mutable_age()->set_nanos(local ? 0 : 412'000'000);
  node.set_generation(7);
}

void AddField(v1::Event& event, const std::string& name, const std::string& value) {
  v1::Event::Field& field = *event.add_fields();
  field.set_name(name);
  field.set_value(value);
}

int64_t NowNanos() { return absl::ToUnixNanos(Loop::Now()); }

}  // namespace

v1::AgentReport ReportOf(const test::FleetIdentity& agent, uint64_t flows) {
  v1::AgentReport report;
  report.set_pair(agent.pair);
  v1::GetStatusResponse& status = *report.mutable_status();
  const bool master = agent.node == "lb1";
  status.set_pair(agent.pair);
  AddNode(status, true, master);
  AddNode(status, false, !master);
  status.set_term(8);
  status.set_ready(true);
  for (int i = 0; i < 4; ++i) {
    v1::Vip& vip = *status.add_vips();
    vip.set_address(absl::StrCat("192.0.2.", 10 + i, "/24"));
    vip.set_interface("eth0");
    vip.set_held(master);
  }
  status.mutable_link()->set_up(true);
  status.mutable_link()->set_address("10.30.0.2:7700");
  status.mutable_link()->set_version(ZC_VERSION);
  status.mutable_link()->mutable_since()->set_seconds(86'400);
  v1::ConntrackState& conntrack = *status.mutable_conntrack();
  conntrack.set_synchronised(true);
  conntrack.mutable_lag()->set_nanos(2'000'000);
  conntrack.set_flows(flows);
  conntrack.set_changes(flows * 31);
  conntrack.set_snapshots(1);
  v1::RootState& root = *status.add_roots();
  root.set_path("/etc/haproxy");
  root.set_local_digest("0123456789abcdef0123456789abcdef");
  root.set_remote_digest(root.local_digest());
  root.set_entries(42);
  status.set_version(ZC_VERSION);
  status.mutable_advert_interval()->set_seconds(1);
  return report;
}

v1::Event EventNow() {
  v1::Event event;
  const absl::Time now = absl::Now();
  event.mutable_at()->set_seconds(absl::ToUnixSeconds(now));
  event.set_name("promoted");
  AddField(event, "term", "8");
  AddField(event, "cause", "advert_timeout");
  AddField(event, "silent", "312ms");
  AddField(event, "vip", "192.0.2.10");
  AddField(event, kSent, absl::StrCat(NowNanos()));
  return event;
}

absl::optional<absl::Duration> AgeOf(const v1::Event& event) {
  int64_t sent = 0;
  if (event.fields().empty()) return absl::nullopt;
  const v1::Event::Field& field = *event.fields().rbegin();
  if (field.name() != kSent || !absl::SimpleAtoi(field.value(), &sent)) return absl::nullopt;
  return absl::Nanoseconds(NowNanos() - sent);
}

}  // namespace zcluster::fleet_bench
