// SPDX-License-Identifier: Apache-2.0
#include "agent/core/action.h"

#include "gtest/gtest.h"

namespace zcluster::core {
namespace {

TEST(Promises, AreWhatTellsSomebodyElse) {
  EXPECT_TRUE(IsPromise(SendState{}));
  EXPECT_TRUE(IsPromise(Finished{}));
  EXPECT_TRUE(IsPromise(ReleaseCommands{}));
  EXPECT_TRUE(IsPromise(AssumeRole{Role::kMaster, Term{3}}));
}

TEST(Promises, IncludeEveryRoleSoThatALaterOneNeverOvertakesAHeldOne) {
  for (Role role :
       {Role::kUnknown, Role::kMaster, Role::kBackup, Role::kMaintenance, Role::kFault}) {
    EXPECT_TRUE(IsPromise(AssumeRole{role, Term{3}}));
  }
}

TEST(Promises, AreNotWhatOnlyActsHere) {
  EXPECT_FALSE(IsPromise(SetFault{"switchover"}));
  EXPECT_FALSE(IsPromise(SetStanding{}));
  EXPECT_FALSE(IsPromise(StartHeartbeat{}));
  EXPECT_FALSE(IsPromise(Announce{}));
  EXPECT_FALSE(IsPromise(Flush{}));
  EXPECT_FALSE(IsPromise(Progressed{}));
  EXPECT_FALSE(IsPromise(Publish{}));
  EXPECT_FALSE(IsPromise(LogDecision{}));
  EXPECT_FALSE(IsPromise(Persist{}));
}

}  // namespace
}  // namespace zcluster::core
