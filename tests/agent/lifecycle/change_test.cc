// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/change.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace zcluster::lifecycle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

v1::PairConfig Present() {
  v1::PairConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(R"pb(
                                                              name: "main"
                                                              vrrp {
                                                                router_id: 51
                                                                advert_interval { seconds: 1 }
                                                              }
                                                              failback: FAILBACK_KEEP
                                                              vips { address: "192.0.2.10/24" }
                                                              vips { address: "2001:db8::10/64" }
                                                              conntrack { replicate: true }
                                                              generation: 7
                                                              term: 3
                                                            )pb",
                                                            &config));
  return config;
}

v1::PairConfig MustChange(const v1::Change& change) {
  const auto changed = Changed(Present(), change, "lb1");
  EXPECT_TRUE(changed.ok()) << changed.status();
  return changed.ok() ? *changed : v1::PairConfig();
}

absl::Status Refusal(const v1::Change& change) {
  return Changed(Present(), change, "lb1").status();
}

TEST(Change, OfNothingIsTheSame) { EXPECT_TRUE(SameButGeneration(MustChange({}), Present())); }

TEST(Change, AddsAndRemovesVips) {
  v1::Change change;
  change.add_add_vips("192.0.2.11/24");
  change.add_add_vips("198.51.100.1/24@back");
  change.add_remove_vips("192.0.2.10");
  change.add_remove_vips("2001:DB8:0::10/64");
  const v1::PairConfig changed = MustChange(change);
  ASSERT_EQ(changed.vips_size(), 2);
  EXPECT_EQ(changed.vips(0).address(), "192.0.2.11/24");
  EXPECT_EQ(changed.vips(1).address(), "198.51.100.1/24");
  EXPECT_EQ(changed.vips(1).interface(), "back");
}

TEST(Change, ReplacesAVipThatComesAndGoesAtOnce) {
  v1::Change change;
  change.add_remove_vips("192.0.2.10");
  change.add_add_vips("192.0.2.10/25");
  EXPECT_EQ(MustChange(change).vips(1).address(), "192.0.2.10/25");
}

TEST(Change, RefusesAVipThatIsThereOrIsNot) {
  v1::Change there;
  there.add_add_vips("192.0.2.10/24");
  EXPECT_THAT(std::string(Refusal(there).message()),
              HasSubstr("has the VIP 192.0.2.10/24 already"));
  v1::Change missing;
  missing.add_remove_vips("192.0.2.77");
  EXPECT_THAT(std::string(Refusal(missing).message()), HasSubstr("has no VIP 192.0.2.77"));
  v1::Change bare;
  bare.add_add_vips("192.0.2.11");
  EXPECT_THAT(std::string(Refusal(bare).message()), HasSubstr("such as 192.0.2.11/24"));
  v1::Change garbage;
  garbage.add_add_vips("192.0.2.11/24\n}");
  EXPECT_EQ(Refusal(garbage).code(), absl::StatusCode::kInvalidArgument);
}

TEST(Change, TracksInterfacesAndAsksGateways) {
  v1::Change change;
  change.add_track_interfaces("front");
  change.add_track_interfaces("back");
  change.add_add_gateways("fd10::1");
  v1::PairConfig changed = MustChange(change);
  ASSERT_EQ(changed.health().interfaces_size(), 2);
  EXPECT_EQ(changed.health().interfaces(1), "back");
  EXPECT_EQ(changed.health().gateways(0), "fd10::1");
  v1::Change back;
  back.add_untrack_interfaces("front");
  back.add_remove_gateways("FD10:0::1");
  changed = Changed(changed, back, "lb1").value();
  EXPECT_EQ(changed.health().interfaces_size(), 1);
  EXPECT_EQ(changed.health().gateways_size(), 0);
  back.Clear();
  back.add_untrack_interfaces("back");
  changed = Changed(changed, back, "lb1").value();
  EXPECT_FALSE(changed.has_health()) << "nothing is left to be said";
}

TEST(Change, RefusesToRemoveWhatIsNotTracked) {
  v1::Change change;
  change.add_untrack_interfaces("front");
  EXPECT_EQ(Refusal(change).message(),
            "track-remove: the pair has no tracked interface front; `zctl cluster describe` lists "
            "them");
  change.Clear();
  change.add_remove_gateways("192.0.2.254");
  EXPECT_EQ(Refusal(change).message(),
            "gateway-remove: the pair has no gateway 192.0.2.254; `zctl cluster describe` lists "
            "them");
}

TEST(Change, SaysWhatAHealthCheckLeavesOut) {
  v1::PairConfig config = Present();
  auto& check = *config.mutable_health()->mutable_check();
  check.add_command("/usr/bin/true");
  check.mutable_interval()->set_nanos(300'000'000);
  check.set_fall(7);
  const auto complete = Complete(config).health().check();
  EXPECT_EQ(complete.timeout().nanos(), 300'000'000) << "at most the interval";
  EXPECT_EQ(complete.rise(), 2U);
  EXPECT_EQ(complete.fall(), 7U);
}

TEST(Change, ToPreferredMeansThePresentMasterUnlessItIsSaid) {
  v1::Change change;
  change.set_failback(v1::FAILBACK_PREFERRED);
  EXPECT_EQ(MustChange(change).preferred(), "lb1");
  change.set_preferred("lb2");
  EXPECT_EQ(MustChange(change).preferred(), "lb2");
}

TEST(Change, ByADocumentTakesIt) {
  v1::Change change;
  change.set_document("name: main\nvrrp: {router_id: 51, advert_interval: 200ms}\ngeneration: 7\n");
  const v1::PairConfig changed = MustChange(change);
  EXPECT_EQ(changed.vips_size(), 0);
  EXPECT_EQ(changed.vrrp().advert_interval().nanos(), 200'000'000);
  EXPECT_EQ(changed.generation(), 7u);
}

TEST(Change, ByADocumentOfAnOlderGenerationIsAConflict) {
  v1::Change change;
  change.set_document_name("pair.yaml");
  change.set_document("name: main\nvrrp: {router_id: 51}\ngeneration: 6\n");
  const absl::Status refusal = Refusal(change);
  EXPECT_EQ(refusal.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(
      std::string(refusal.message()),
      HasSubstr("pair.yaml:3: generation: was made from generation 6, the present one is 7"));
}

TEST(Change, ByADocumentNamesTheLineOfAnUnknownField) {
  v1::Change change;
  change.set_document_name("pair.yaml");
  change.set_document("name: main\nvipps: []\n");
  EXPECT_THAT(std::string(Refusal(change).message()), HasSubstr("pair.yaml:2: vipps: unknown key"));
}

TEST(Change, CannotRenameThePair) {
  v1::Change change;
  change.set_document("name: other\nvrrp: {router_id: 51}\n");
  EXPECT_THAT(std::string(Refusal(change).message()), HasSubstr("cannot be renamed"));
}

TEST(Disturbances, AreNoneForVipsFailbackAndInterval) {
  v1::Change change;
  change.add_add_vips("192.0.2.11/24");
  change.add_remove_vips("192.0.2.10");
  change.set_failback(v1::FAILBACK_PREFERRED);
  change.mutable_check_interval()->set_nanos(200'000'000);
  EXPECT_THAT(Disturbances(Present(), MustChange(change)), IsEmpty());
}

TEST(Disturbances, AreSaidOfARouterIdAndOfReplicationTurnedOff) {
  v1::PairConfig other = Present();
  other.mutable_vrrp()->set_router_id(52);
  other.mutable_conntrack()->set_replicate(false);
  EXPECT_THAT(Disturbances(Present(), other),
              ElementsAre(HasSubstr("router id"), HasSubstr("no longer")));
}

TEST(Disturbances, AreSaidOfAdvertsThatGoAnotherWay) {
  v1::Change change;
  change.set_multicast(true);
  const v1::PairConfig other = MustChange(change);
  EXPECT_TRUE(other.vrrp().multicast());
  EXPECT_THAT(Disturbances(Present(), other), ElementsAre(HasSubstr("adverts go another way")));
}

TEST(AdvertInterval, IsLoweredOnTheMasterFirstAndRaisedOnTheBackupFirst) {
  v1::PairConfig slower = Present();
  slower.mutable_vrrp()->mutable_advert_interval()->set_seconds(2);
  EXPECT_FALSE(MasterGoesFirst(Present(), slower));
  EXPECT_TRUE(MasterGoesFirst(slower, Present()));
  EXPECT_TRUE(BackupGoesFirst(Present(), slower));
  EXPECT_FALSE(BackupGoesFirst(Present(), Present()));
}

TEST(Later, IsDecidedByTheTermAndThenByTheGeneration) {
  v1::PairConfig older = Present();
  v1::PairConfig newer = Present();
  newer.set_generation(8);
  EXPECT_TRUE(IsLater(newer, older));
  older.set_term(4);
  EXPECT_TRUE(IsLater(older, newer));
  EXPECT_FALSE(IsLater(Present(), Present()));
}

}  // namespace
}  // namespace zcluster::lifecycle
