// SPDX-License-Identifier: Apache-2.0
#include "controller/store/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/store/stage.h"

namespace zcluster::controller {
namespace {

TEST(Layout, KeepsTimesToTheNanosecondAndForEver) {
  for (const absl::Time time :
       {absl::UnixEpoch(), absl::FromUnixNanos(1'700'000'000'123'456'789), absl::FromUnixNanos(-1),
        absl::InfiniteFuture(), absl::InfinitePast()}) {
    EXPECT_EQ(TimeOf(ToColumn(time)), time) << time;
  }
}

TEST(Layout, KeepsTheWholeRangeOfNumbersOfOthers) {
  for (const uint64_t number : {uint64_t{0}, uint64_t{1} << 63, ~uint64_t{0}}) {
    EXPECT_EQ(NumberOf(ToColumn(number)), number);
  }
}

TEST(Layout, WritesTimesBefore1970AsTimestampsDo) {
  const google::protobuf::Timestamp proto = ProtoOf(absl::FromUnixNanos(-1));
  EXPECT_EQ(proto.seconds(), -1);
  EXPECT_EQ(proto.nanos(), 999'999'999);
}

TEST(Layout, IsNoAgents) {
  const test::Directory directory;
  const std::string path = directory.path() + "/state.db";
  {
    ASSERT_TRUE(sqlite::Database::Open(
                    {.path = path, .program = "zagent", .layouts = {"CREATE TABLE durable(a)"}})
                    .ok());
  }
  const absl::Status status = OpenFile(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("not a database of zcontroller"));
}

}  // namespace
}  // namespace zcluster::controller
