// SPDX-License-Identifier: Apache-2.0
#include "controller/core/order.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"

namespace zcluster::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

v1::PairSummary Pair(const std::string& name, v1::Status status, uint64_t flows,
                     const std::string& site = "") {
  v1::PairSummary pair;
  pair.set_name(name);
  pair.set_status(status);
  pair.set_flows(flows);
  pair.set_term(flows % 3);
  pair.set_master(absl::StrCat("m", flows % 2));
  if (!site.empty()) (*pair.mutable_labels())["site"] = site;
  return pair;
}

v1::ListPairsRequest Ask(const std::string& order, uint32_t size = 0,
                         const std::string& page = "") {
  v1::ListPairsRequest request;
  request.set_order(order);
  request.set_page_size(size);
  request.set_page(page);
  return request;
}

std::vector<std::string> Names(const std::vector<v1::PairSummary>& pairs,
                               const std::string& order) {
  std::vector<const v1::PairSummary*> pointers;
  for (const auto& pair : pairs) pointers.push_back(&pair);
  const absl::StatusOr<Page> page = PageOf(pointers, Ask(order));
  EXPECT_TRUE(page.ok()) << page.status();
  std::vector<std::string> names;
  for (const auto* pair : page->pairs) names.push_back(pair->name());
  return names;
}

TEST(Order, SortsByWhatItIsToldAndThenByName) {
  const std::vector<v1::PairSummary> pairs = {
      Pair("c", v1::STATUS_GREEN, 5, "x"), Pair("a", v1::STATUS_ORANGE, 5),
      Pair("d", v1::STATUS_RED, 2, "y"), Pair("b", v1::STATUS_GREY, 9, "x")};
  EXPECT_THAT(Names(pairs, ""), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(Names(pairs, "name"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(Names(pairs, "-name"), ElementsAre("d", "c", "b", "a"));
  EXPECT_THAT(Names(pairs, "status"), ElementsAre("d", "b", "a", "c"));
  EXPECT_THAT(Names(pairs, "-status"), ElementsAre("c", "a", "b", "d"));
  EXPECT_THAT(Names(pairs, "flows"), ElementsAre("d", "a", "c", "b"));
  EXPECT_THAT(Names(pairs, "-flows"), ElementsAre("b", "a", "c", "d"));
  EXPECT_THAT(Names(pairs, "term"), ElementsAre("b", "a", "c", "d"));
  EXPECT_THAT(Names(pairs, "master"), ElementsAre("d", "a", "b", "c"));
  EXPECT_THAT(Names(pairs, "label:site"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(Names(pairs, "-label:site"), ElementsAre("d", "b", "c", "a"));
}

TEST(Order, RefusesWhatItDoesNotKnow) {
  for (const char* bad : {"colour", "-", "--name", "label:", "label:a b", "Name"}) {
    const absl::Status status = Order::Parse(bad).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(status.message()), HasSubstr("order")) << bad;
  }
}

TEST(PageOf, RefusesPagesOfOthers) {
  std::vector<v1::PairSummary> pairs;
  for (int i = 0; i < 5; ++i) pairs.push_back(Pair(absl::StrCat("p", i), v1::STATUS_GREEN, 1));
  std::vector<const v1::PairSummary*> pointers;
  for (const auto& pair : pairs) pointers.push_back(&pair);
  const absl::StatusOr<Page> first = PageOf(pointers, Ask("name", 2));
  ASSERT_TRUE(first.ok());
  ASSERT_FALSE(first->next.empty());
  EXPECT_TRUE(PageOf(pointers, Ask("name", 2, first->next)).ok());
  EXPECT_THAT(std::string(PageOf(pointers, Ask("flows", 2, first->next)).status().message()),
              HasSubstr("another selector or order"));
  v1::ListPairsRequest other = Ask("name", 2, first->next);
  other.set_selector("a=b");
  EXPECT_FALSE(PageOf(pointers, other).ok());
  EXPECT_FALSE(PageOf(pointers, Ask("name", 2, "garbage!")).ok());
  EXPECT_FALSE(PageOf(pointers, Ask("name", 2, "Z2FyYmFnZQ")).ok());
  EXPECT_FALSE(PageOf(pointers, Ask("name", 2, std::string(100'000, 'a'))).ok());
  EXPECT_FALSE(PageOf(pointers, Ask("name", 1001)).ok());
}

// While pairs come, go and change between the pages, each that does not is told exactly once, and
// all of them in order.
TEST(PageOf, TellsWhatDoesNotChangeExactlyOnce) {
  std::mt19937 random(11);
  for (const char* order :
       {"name", "-name", "status", "-flows", "term", "master", "label:site", "-label:site"}) {
    for (int round = 0; round < 30; ++round) {
      std::map<std::string, v1::PairSummary> fleet;
      const auto any = [&random](const std::string& name) {
        return Pair(name, static_cast<v1::Status>(1 + random() % 4), random() % 5,
                    std::string(random() % 3, 's'));
      };
      std::set<std::string> steady;
      for (int i = 0; i < 40; ++i) {
        const std::string name = absl::StrCat("p", random() % 1000);
        fleet[name] = any(name);
        steady.insert(name);
      }
      std::map<std::string, int> told;
      std::vector<std::string> in_order;
      std::string page;
      do {
        std::vector<const v1::PairSummary*> pointers;
        for (const auto& [name, pair] : fleet) pointers.push_back(&pair);
        std::shuffle(pointers.begin(), pointers.end(), random);
        const absl::StatusOr<Page> got =
            PageOf(pointers, Ask(order, 1 + static_cast<uint32_t>(random() % 7), page));
        ASSERT_TRUE(got.ok()) << got.status();
        for (const auto* pair : got->pairs) {
          ++told[pair->name()];
          in_order.push_back(pair->name());
        }
        page = got->next;
        for (int i = 0; i < 3; ++i) {
          const std::string name = absl::StrCat("p", random() % 1000);
          steady.erase(name);
          if (random() % 2 == 0) {
            fleet[name] = any(name);
          } else {
            fleet.erase(name);
          }
        }
      } while (!page.empty());
      for (const std::string& name : steady) EXPECT_EQ(told[name], 1) << order << " " << name;
      const Order how = *Order::Parse(order);
      const v1::PairSummary* last = nullptr;
      for (const std::string& name : in_order) {
        if (steady.count(name) == 0) continue;
        if (last != nullptr) {
          EXPECT_TRUE(how.Before(*last, fleet[name])) << order;
        }
        last = &fleet[name];
      }
    }
  }
}

}  // namespace
}  // namespace zcluster::controller
