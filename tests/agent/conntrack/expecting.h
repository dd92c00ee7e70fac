// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/conntrack/expectation_message.h"
#include "tests/agent/conntrack/netns.h"

// Expectations to try things on.
namespace zcluster::conntrack {

// The control connection of FTP.
inline Flow Control(bool v6 = false, uint16_t port = 1024) {
  return WithHelper(Plain(v6 ? Key(IPPROTO_TCP, "2001:db8::7", port, "2001:db8:1::10", 21)
                             : Key(IPPROTO_TCP, "198.51.100.7", port, "192.0.2.10", 21)),
                    "ftp");
}

// What PORT announces in it: the server will connect to the client's port, from any port.
inline Expectation ActiveFtp(const Flow& control, uint16_t port = 5000) {
  Expectation expectation;
  Expectation::What& what = expectation.what;
  what.key = control.key;
  what.key.source = control.key.destination;
  what.key.source_port = 0;
  what.key.destination = control.key.source;
  what.key.destination_port = port;
  what.master = control.key;
  std::fill_n(what.source_mask.begin(), control.key.AddressSize(), uint8_t{0xff});
  what.helper = control.rare ? control.rare->helper : what.helper;
  const std::string function = "nat-follow-master";
  std::copy(function.begin(), function.end(), what.function.begin());
  what.nat_direction = 1;
  what.nat_address = control.key.source;
  what.nat_port = port;
  expectation.timeout = 300;
  return expectation;
}

inline std::vector<Expectation> Expectations(const Netns& netns) {
  std::vector<Expectation> found;
  netns.Run([&] {
    absl::StatusOr<std::vector<Expectation>> listed = ListExpectations();
    ASSERT_TRUE(listed.ok()) << listed.status();
    found = *std::move(listed);
  });
  return found;
}

// As Change() of flows.
inline size_t Change(const Netns& netns, Verb verb, const std::vector<Expectation>& expectations,
                     uint32_t timeout = 0) {
  size_t refused = 0;
  netns.Run([&] {
    absl::StatusOr<KernelWriter> writer = KernelWriter::Open();
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const Expectation& expectation : expectations) writer->Add(verb, expectation, timeout);
    refused = writer->Flush().size();
  });
  return refused;
}

}  // namespace zcluster::conntrack
