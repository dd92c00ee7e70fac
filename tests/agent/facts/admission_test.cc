// SPDX-License-Identifier: Apache-2.0
// Rules are loaded into a network namespace for real, so that the text that is walked is nft's own.
#include "agent/facts/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/eventfd.h>

#include <thread>

#include "agent/facts/ruleset.h"
#include "common/child.h"
#include "common/unique_fd.h"

namespace zcluster::facts {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kNft[] = "/usr/sbin/nft";

MustPass Sample() {
  return {.interface = "front",
          .address = "10.0.0.1",
          .peer_address = "10.0.0.2",
          .link_port = 7700,
          .link_addresses = {"10.9.0.2", "fd09::2"}};
}

void Load(const std::string& rules) {
  const absl::Status loaded = RunProgram({kNft, "-f", "-"}, rules, absl::Seconds(20));
  ASSERT_TRUE(loaded.ok()) << loaded;
}

struct Seen {
  std::string heartbeat = "not told", link = "not told";
};

Seen ToSeen(const std::vector<core::Fact>& facts) {
  Seen seen;
  for (const core::Fact& fact : facts) {
    if (fact.name == "admission heartbeat") seen.heartbeat = fact.value;
    if (fact.name == "admission link") seen.link = fact.value;
  }
  return seen;
}

// What is seen of `rules` in a network namespace of its own.
Seen With(const std::string& rules) {
  Seen seen;
  std::thread thread([&] {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "needs root";
    Load(rules);
    const UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
    seen = ToSeen(Admission().Look(Sample(), stop.get(), kNft));
  });
  thread.join();
  return seen;
}

std::string Input(const std::string& rules) {
  return "table inet filter { chain input { type filter hook input priority 0;\n" + rules +
         "\n}\n}\n";
}

TEST(Admission, ByMulticastThePacketsGoToTheGroup) {
  MustPass must = Sample();
  must.multicast = true;
  const std::string drops =
      R"({"nftables": [{"chain": {"family": "ip", "table": "t", "name": "out", "hook": "output",
         "prio": 0, "type": "filter", "policy": "accept"}},
         {"rule": {"family": "ip", "table": "t", "chain": "out", "expr": [
           {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}},
                      "right": "224.0.0.18"}}, {"drop": null}]}}]})";
  EXPECT_EQ(
      ToSeen(Judge(drops, must)).heartbeat,
      "chain out of table ip t (hook output) drops VRRP (IP protocol 112) to 224.0.0.18; add: "
      "nft insert rule ip t out ip daddr 224.0.0.18 ip protocol 112 accept");
  EXPECT_EQ(ToSeen(Judge(drops, Sample())).heartbeat, "");
}

TEST(Admission, NamesTheChainAndTheRuleToAdd) {
  const Seen seen = With(Input("ip protocol 112 drop"));
  EXPECT_EQ(seen.heartbeat,
            "chain input of table inet filter (hook input) drops VRRP (IP protocol 112) from "
            "10.0.0.2; add: nft insert rule inet filter input ip saddr 10.0.0.2 ip protocol 112 "
            "accept");
  EXPECT_EQ(seen.link, "");
}

TEST(Admission, IsContentOnceTheRuleThatItNamesIsAdded) {
  std::thread thread([] {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    Load(Input("policy drop; ct state established,related accept; tcp dport 22 accept"));
    const UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
    Admission admission;
    // One after the other: a rule for each that it names.
    for (int i = 0; i < 4; ++i) {
      const Seen seen = ToSeen(admission.Look(Sample(), stop.get(), kNft));
      const std::string& named = seen.heartbeat.empty() ? seen.link : seen.heartbeat;
      if (named.empty()) break;
      EXPECT_THAT(named, HasSubstr("by its policy"));
      Load(named.substr(named.find("add: nft ") + 9) + "\n");
    }
    const Seen seen = ToSeen(admission.Look(Sample(), stop.get(), kNft));
    EXPECT_EQ(seen.heartbeat, "");
    EXPECT_EQ(seen.link, "");
  });
  thread.join();
}

struct Case {
  const char* name;
  std::string rules;
  bool heartbeat;  // passes
  bool link;
};

class Walked : public testing::TestWithParam<Case> {};

TEST_P(Walked, AsTheKernelDoes) {
  const Seen seen = With(GetParam().rules);
  EXPECT_EQ(seen.heartbeat.empty(), GetParam().heartbeat) << seen.heartbeat;
  EXPECT_EQ(seen.link.empty(), GetParam().link) << seen.link;
}

INSTANTIATE_TEST_SUITE_P(
    Admission, Walked,
    testing::Values(
        Case{"Nothing", "table ip empty { }", true, true},
        Case{"AnotherInterface", Input("iifname back meta l4proto 112 drop"), true, true},
        Case{"TheInterface", Input("iifname fro* meta l4proto { 112, udp } drop"), false, true},
        Case{"AnotherPeer", Input("ip saddr != 10.0.0.2 ip protocol 112 drop"), true, true},
        Case{"ItsNetwork", Input("ip saddr 10.0.0.0/24 drop"), false, true},
        Case{"AnotherNetwork", Input("ip saddr 10.1.0.0/24 drop"), true, true},
        Case{"AcceptedBefore", Input("ip protocol 112 accept; ip protocol 112 drop"), true, true},
        Case{"TheLinksPort", Input("tcp dport 7000-8000 reject"), true, false},
        Case{"OtherPorts", Input("tcp dport { 22, 80 } drop; tcp dport != 7700 drop"), true, true},
        Case{"VerdictMap", Input("tcp dport vmap { 22 : accept, 7700 : drop }"), true, false},
        Case{"Ipv6Only",
             "table ip6 f { chain i { type filter hook input priority 0; "
             "tcp dport 7700 drop;\n}\n}\n",
             true, false},
        Case{"WhatIsTrackedAsInvalid", Input("ct state invalid drop"), true, true},
        Case{"Output",
             "table ip f { chain o { type filter hook output priority 0; "
             "meta l4proto 112 oifname front drop;\n}\n}\n",
             false, true},
        Case{"Sometimes", Input("limit rate over 5/second ip protocol 112 drop"), true, true},
        Case{"JumpThatAccepts",
             "table ip f { chain other { ip protocol 112 accept; }\nchain input { type filter hook "
             "input priority 0; jump other; ip protocol 112 drop;\n}\n}\n",
             true, true},
        Case{"JumpThatReturns",
             "table ip f { chain other { ip protocol 112 return; accept; }\nchain input { type "
             "filter hook input priority 0; jump other; ip protocol 112 drop;\n}\n}\n",
             false, true},
        Case{"NotOurs",
             "table inet zcluster { chain i { type filter hook input priority 0; "
             "meta l4proto 112 drop;\n}\n}\n",
             true, true},
        Case{"ForwardedOnly",
             "table ip f { chain i { type filter hook forward priority 0; "
             "policy drop;\n}\n}\n",
             true, true}),
    [](const testing::TestParamInfo<Case>& each) { return std::string(each.param.name); });

TEST(Judge, SaysNothingOfWhatItCannotRead) {
  EXPECT_TRUE(Judge("no rules", Sample()).empty());
  EXPECT_TRUE(Judge("{\"nftables\": []}", MustPass{}).empty());
  EXPECT_EQ(Judge("{\"nftables\": [{\"rule\": 7}, 8]}", Sample()).size(), 2U);
}

TEST(Ruleset, HasAnotherGenerationAfterEachChange) {
  std::thread thread([] {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    Load("table ip a { }\n");
    const std::optional<uint32_t> before = RulesetGeneration();
    ASSERT_TRUE(before);
    EXPECT_EQ(RulesetGeneration(), before);
    Load("table ip b { }\n");
    EXPECT_NE(RulesetGeneration(), before);
    const UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
    EXPECT_THAT(ReadRuleset(kNft, stop.get()).value_or(""),
                AllOf(HasSubstr("\"a\""), HasSubstr("\"b\"")));
    EXPECT_FALSE(ReadRuleset("/usr/bin/false", stop.get()));
    EXPECT_FALSE(ReadRuleset("/no/such", stop.get()));
  });
  thread.join();
}

}  // namespace
}  // namespace zcluster::facts
