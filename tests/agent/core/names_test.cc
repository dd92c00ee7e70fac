// SPDX-License-Identifier: Apache-2.0
#include "agent/core/names.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace zcluster::core {
namespace {

TEST(Names, AreThoseThatOperatorsKnow) {
  EXPECT_EQ(Name(Role::kMaster), "MASTER");
  EXPECT_EQ(Name(Role::kMaintenance), "MAINTENANCE");
  EXPECT_EQ(Name(VrrpState::kFault), "FAULT");
  EXPECT_EQ(Name(OperationKind::kEnterMaintenance), "maintenance enter");
  EXPECT_EQ(Name(Failback::kPreferred), "PREFERRED");
}

TEST(Names, DifferForEachRoleAndPhase) {
  std::set<std::string> names;
  for (int role = 0; role <= static_cast<int>(Role::kUnconfigured); ++role) {
    names.insert(std::string(Name(static_cast<Role>(role))));
  }
  EXPECT_EQ(names.size(), 6u);
  names.clear();
  for (int phase = 0; phase <= static_cast<int>(Phase::kRejoining); ++phase) {
    names.insert(std::string(Name(static_cast<Phase>(phase))));
  }
  EXPECT_EQ(names.size(), 7u);
}

}  // namespace
}  // namespace zcluster::core
