// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {

// What differs between two looks at a node that a create and its end must leave as it was.
struct NodeImage {
  std::string files;  // names, modes and digests below /etc/zcluster
  std::string state;  // names below /var/lib/zcluster, but for the bootstrap's and the audit log
  std::string addresses;  // all that the node has
  std::string tables;     // of nftables
  std::string processes;  // keepalived's
  bool operator==(const NodeImage&) const = default;
};
std::ostream& operator<<(std::ostream& out, const NodeImage& image);

// Tests that share one lab of two nodes that are in no pair: RaiseBare() it in SetUpTestSuite().
// Each test begins with both bare.
class BareScenario : public Scenario {
 protected:
  static void RaiseBare(const std::string& suite);
  void SetUp() override;

  static bool IsBare(const std::string& node);
  static bool InPair(const std::string& node);
  static NodeImage ImageOf(const std::string& node);

  // What `zctl node token` prints on that node.
  static std::string Token(const std::string& node = "node2");
  // `zctl cluster create` on node1 with what it cannot do without, and `flags`; `input` is its
  // standard input.
  static std::vector<std::string> CreateArgv(const std::vector<std::string>& flags);
  static Outcome Create(const std::vector<std::string>& flags, const std::string& input);
  // A pair as the farm needs it, made with a token; fails the test if it is not.
  static void MustCreate(const std::vector<std::string>& flags = {});
};

}  // namespace zcluster::lab
