// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agent/conntrack/flow.h"
#include "agent/conntrack/kernel_writer.h"
#include "agent/conntrack/snapshot.h"
#include "tests/support/netns.h"

// Real kernel tables to try things on. All of it needs root.
namespace zcluster::conntrack {

inline bool WaitUntil(absl::Duration patience, const std::function<bool()>& met) {
  const absl::Time deadline = absl::Now() + patience;
  while (!met()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

inline Address Ip(const std::string& text) {
  Address address;
  uint8_t family = 0;
  EXPECT_TRUE(ParseAddress(text, address, family)) << text;
  return address;
}

inline FlowKey Key(uint8_t protocol, const std::string& source, uint16_t source_port,
                   const std::string& destination, uint16_t destination_port) {
  FlowKey key;
  EXPECT_TRUE(ParseAddress(source, key.source, key.family));
  EXPECT_TRUE(ParseAddress(destination, key.destination, key.family));
  key.source_port = source_port;
  key.destination_port = destination_port;
  key.protocol = protocol;
  return key;
}

// An established flow without NAT.
inline Flow Plain(const FlowKey& key) {
  Flow flow;
  flow.key = key;
  flow.reply = Inverse(key);
  flow.status = IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED;
  flow.timeout = 3600;
  if (key.protocol == IPPROTO_TCP) {
    flow.has_tcp = true;
    flow.tcp = {TCP_CONNTRACK_ESTABLISHED, 7, 9,
                IP_CT_TCP_FLAG_WINDOW_SCALE | IP_CT_TCP_FLAG_SACK_PERM,
                IP_CT_TCP_FLAG_WINDOW_SCALE};
  }
  return flow;
}

// An established TCP flow through a VIP: DNAT to a backend, SNAT to the node. `i` below 60,000.
inline Flow Natted(int i, const std::string& backend = "10.1.0.2") {
  Flow flow =
      Plain(Key(IPPROTO_TCP, "198.51.100.7", static_cast<uint16_t>(1024 + i), "192.0.2.10", 443));
  flow.reply.source = Ip(backend);
  flow.reply.source_port = 8443;
  flow.reply.destination = Ip("10.1.0.254");
  flow.status = 0x1be;
  return flow;
}

// A flow with something that few have; `spoil` says what.
inline Flow With(Flow flow, const std::function<void(Rare&)>& change) {
  Rare rare = flow.rare ? *flow.rare : Rare{};
  change(rare);
  flow.rare = std::make_shared<const Rare>(rare);
  return flow;
}

inline Flow WithHelper(const Flow& flow, const std::string& name) {
  return With(flow, [&](Rare& rare) { std::copy(name.begin(), name.end(), rare.helper.begin()); });
}

inline Flow WithMaster(const Flow& flow, const FlowKey& master) {
  return With(flow, [&](Rare& rare) {
    rare.master = master;
    rare.master.zone = 0;
    rare.told |= Rare::kMaster;
  });
}

inline Flow WithLabels(const Flow& flow, uint8_t first) {
  return With(flow, [&](Rare& rare) {
    rare.labels = {first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80};
    rare.told |= Rare::kLabels;
  });
}

inline Flow WithShift(const Flow& flow, uint32_t position) {
  return With(flow, [&](Rare& rare) {
    rare.original_shift = {position, static_cast<uint32_t>(-3), 5};
    rare.reply_shift = {position + 1, 7, 0xffffffff};
    rare.told |= Rare::kShift;
  });
}

// An established association without NAT.
inline Flow Sctp(const FlowKey& key, uint8_t state = 4) {
  return With(Plain(key), [&](Rare& rare) {
    rare.sctp_state = state;
    rare.original_tag = 0x11223344;
    rare.reply_tag = 0xaabbccdd;
    rare.told |= Rare::kSctp;
  });
}

// What of Rare must be the same on both nodes.
inline std::string DescribeRare(const Rare& rare) {
  const auto shift = [](const SequenceShift& at) {
    return absl::StrCat(at.position, "/", static_cast<int32_t>(at.before), "/",
                        static_cast<int32_t>(at.after));
  };
  std::string text = rare.helper[0] != 0 ? absl::StrCat(" helper ", rare.helper.data()) : "";
  if (rare.Has(Rare::kSctp)) {
    absl::StrAppend(&text, " sctp ", rare.sctp_state, "/", absl::Hex(rare.original_tag), "/",
                    absl::Hex(rare.reply_tag));
  }
  if (rare.Has(Rare::kLabels)) {
    absl::StrAppend(&text, " labels ");
    for (uint8_t byte : rare.labels) absl::StrAppend(&text, absl::Hex(byte, absl::kZeroPad2));
  }
  if (rare.Has(Rare::kShift))
    absl::StrAppend(&text, " shift ", shift(rare.original_shift), " ", shift(rare.reply_shift));
  if (rare.Has(Rare::kMaster)) absl::StrAppend(&text, " master ", Text(rare.master));
  if (rare.zone_direction == ZoneDirection::kOriginal) absl::StrAppend(&text, " zone-orig");
  if (rare.zone_direction == ZoneDirection::kReply)
    absl::StrAppend(&text, " zone-reply ", rare.reply_zone);
  return text;
}

// Everything that must be the same on both nodes.
inline std::string Describe(const Flow& flow) {
  // Nor is it whether data is unacknowledged at this moment, which no event tells.
  const int ours = ~(IP_CT_TCP_FLAG_BE_LIBERAL | IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED);
  char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
  ::inet_ntop(flow.key.family, flow.reply.source.data(), source, sizeof source);
  ::inet_ntop(flow.key.family, flow.reply.destination.data(), destination, sizeof destination);
  return absl::StrCat(Text(flow.key), " reply ", source, ":", flow.reply.source_port, " -> ",
                      destination, ":", flow.reply.destination_port, " status 0x",
                      absl::Hex(flow.status), " mark ", flow.mark, " tcp ", flow.tcp.state, "/",
                      flow.tcp.original_scale, "/", flow.tcp.reply_scale, "/",
                      flow.tcp.original_flags & ours, "/", flow.tcp.reply_flags & ours,
                      flow.rare ? DescribeRare(*flow.rare) : "");
}

// The table of a namespace's kernel, as text, in an order that does not depend on the kernel's.
inline std::map<std::string, Flow> Dump(const Netns& netns) {
  std::vector<Flow> flows;
  netns.Run([&] {
    Snapshot snapshot;
    ASSERT_TRUE(snapshot.Begin().ok());
    for (absl::StatusOr<bool> more = true; *more;) {
      more = snapshot.Next(flows);
      ASSERT_TRUE(more.ok()) << more.status();
    }
  });
  std::map<std::string, Flow> table;
  for (const Flow& flow : flows) table.emplace(Describe(flow), flow);
  return table;
}

inline std::vector<std::string> Texts(const Netns& netns) {
  std::vector<std::string> texts;
  for (const auto& [text, flow] : Dump(netns)) texts.push_back(text);
  return texts;
}

// Does something to a namespace's table as a program that is not ours would. Returns how many were
// refused.
inline size_t Change(const Netns& netns, Verb verb, const std::vector<Flow>& flows) {
  size_t refused = 0;
  netns.Run([&] {
    absl::StatusOr<KernelWriter> writer = KernelWriter::Open();
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const Flow& flow : flows) {
      if (writer->Full()) refused += writer->Flush().size();
      writer->Add(verb, flow, flow.timeout);
    }
    refused += writer->Flush().size();
  });
  return refused;
}

}  // namespace zcluster::conntrack
