// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_replace.h"
#include "agent/config/config.h"

namespace zcluster::config {

constexpr char kAgent[] = R"(node: {name: node1, address: 10.0.0.1, interface: eth0}
peer: {name: node2, address: 10.0.0.2}
tls: {certificate: DIR/c, key: DIR/k, ca: DIR/a}
programs: [/usr/bin/echo]
)";

constexpr char kPair[] = R"(name: lab
vrrp: {router_id: 51, advert_interval: 100ms}
vips:
  - {address: 192.0.2.10/24, interface: front}
  - {address: "2001:DB8:0::10/64"}
roots: [{path: /etc/haproxy, exclude: ["*.tmp"]}]
commands:
  - {name: say, summary: Says, argv: [/usr/bin/echo, "{word}"], arguments: [{name: word, pattern: "[a-z]+"}]}
operators:
  - {name: anna, role: ADMIN, key: "SHA256:0123456789abcdefghijklmnopqrstuvwxyzABCDE+/"}
)";

// The two files as they are right, to be changed in one place each; the files that agent.yaml names
// are there.
class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = testing::TempDir() + "zc-config-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    for (const char* name : {"c", "k", "a"}) Write(name, "x");
  }
  ~ConfigTest() override { std::filesystem::remove_all(directory_); }

  // Returns its path.
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/" + name) << text;
    return directory_ + "/" + name;
  }
  std::string AgentText(absl::string_view from = "", absl::string_view to = "") const {
    const std::string text = absl::StrReplaceAll(kAgent, {{"DIR", directory_}});
    return from.empty() ? text : absl::StrReplaceAll(text, {{from, to}});
  }
  absl::StatusOr<AgentSettings> Agent(absl::string_view from = "",
                                      absl::string_view to = "") const {
    return ParseAgent("agent.yaml", AgentText(from, to));
  }
  absl::StatusOr<PairSettings> Pair(absl::string_view from = "", absl::string_view to = "") const {
    std::string text = kPair;
    if (!from.empty()) text = absl::StrReplaceAll(text, {{from, to}});
    return ParsePair("pair.yaml", text, *Agent());
  }

  // A change of one of the files, and how the error begins.
  struct Case {
    const char* from;
    const char* to;
    const char* error;
  };
  template <typename T>
  static void ExpectRefused(const absl::StatusOr<T>& read, const char* error) {
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument) << error;
    EXPECT_THAT(std::string(read.status().message()), testing::StartsWith(error));
  }

  std::string directory_;
};

}  // namespace zcluster::config
