// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zcluster::heartbeat {
namespace {

using testing::HasSubstr;
using testing::Not;

Options Example() {
  return {.node_name = "node-a",
          .interface = "front",
          .address = "192.0.2.1",
          .peer_address = "192.0.2.2",
          .router_id = 51,
          .advert_interval = *core::AdvertInterval::From(absl::Milliseconds(100)),
          .vips = {{"192.0.2.100/24", "front"},
                   {"2001:db8::100/64", "front"},
                   {"198.51.100.1/32", "back"}},
          .state_dir = "/s",
          .run_dir = "/r"};
}

TEST(Render, WritesWhatKeepalivedNeeds) {
  EXPECT_EQ(
      Render(Example()),
      R"(# Written by zagent of node node-a at each change of the configuration. Changes made here are lost.
global_defs {
  router_id zcluster
  script_user root
  enable_script_security
  vrrp_notify_fifo /r/notify.fifo
  vrrp_version 3
  vrrp_priority -20
  vrrp_no_swap
  vrrp_higher_prio_send_advert true
  vrrp_garp_master_delay 1
  vrrp_garp_master_repeat 1
  vrrp_garp_lower_prio_delay 0
  vrrp_garp_lower_prio_repeat 1
  reload_check_config /r/keepalived-reload.log
}

# Ends a FAULT whose lease is over. Run by the shell: the file need not be there when this is checked.
# With a weight: without one, a script that cannot be run would be a FAULT itself.
vrrp_script lease {
  script "/bin/sh /s/end-lease"
  interval 1
  timeout 1
  weight -1
}

# 1: stand aside. Weight 0 makes it a FAULT, which the peer hears of at once.
track_file fault {
  file "/s/fault"
  weight 0
}

# 0, 1 or 2 above the priority of a standby: who was promoted last.
track_file standing {
  file "/s/standing"
  weight 1
}

vrrp_instance zcluster {
  version 3
  state BACKUP
  nopreempt
  interface front
  virtual_router_id 51
  priority 252
  advert_int 0.10
  unicast_src_ip 192.0.2.1
  unicast_ttl 255
  check_unicast_src
  unicast_peer {
    192.0.2.2 min_ttl 255 max_ttl 255
  }
  track_file {
    fault
    standing
  }
  track_script {
    lease
  }
  virtual_ipaddress {
    169.254.77.51/32 dev lo scope host
  }
  virtual_ipaddress_excluded {
    192.0.2.100/24 dev front
    2001:db8::100/64 dev front
    198.51.100.1/32 dev back
  }
}
)");
}

TEST(Render, LeavesOutTheBlockOfVipsIfThereAreNone) {
  Options options = Example();
  options.vips.clear();
  EXPECT_THAT(Render(options), Not(HasSubstr("virtual_ipaddress_excluded")));
}

TEST(Render, SendsToTheGroupInsteadOfThePeer) {
  Options options = Example();
  options.multicast = true;
  EXPECT_THAT(Render(options),
              HasSubstr("  advert_int 0.10\n  mcast_src_ip 192.0.2.1\n  track_file"));
  EXPECT_THAT(Render(options), Not(HasSubstr("unicast")));
}

TEST(Render, WritesIntervalsExactly) {
  for (const auto& [interval, text] : std::vector<std::pair<absl::Duration, std::string>>{
           {absl::Milliseconds(10), "advert_int 0.01\n"},
           {absl::Milliseconds(290), "advert_int 0.29\n"},
           {absl::Seconds(1), "advert_int 1.00\n"},
           {absl::Milliseconds(40950), "advert_int 40.95\n"}}) {
    Options options = Example();
    options.advert_interval = *core::AdvertInterval::From(interval);
    EXPECT_THAT(Render(options), HasSubstr(text));
  }
}

TEST(Render, CanBeReadForItsAddresses) {
  const std::vector<Vip> vips = AddressesIn(Render(Example()));
  ASSERT_EQ(vips.size(), 4U);
  EXPECT_EQ(vips[0].address, AnchorOf(Example()).address);
  EXPECT_EQ(vips[0].interface, "lo");
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(vips[i + 1].address, Example().vips[i].address);
    EXPECT_EQ(vips[i + 1].interface, Example().vips[i].interface);
  }
  EXPECT_TRUE(AddressesIn("").empty());
  EXPECT_TRUE(AddressesIn("unicast_peer {\n  192.0.2.2 dev eth0\n}\n").empty());
}

}  // namespace
}  // namespace zcluster::heartbeat
