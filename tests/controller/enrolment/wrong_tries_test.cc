// SPDX-License-Identifier: Apache-2.0
#include "controller/enrolment/wrong_tries.h"

#include <gmock/gmock.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace zcluster::controller {
namespace {

using ::testing::HasSubstr;

const absl::Time kStart = absl::FromUnixSeconds(1000);

TEST(WrongTries, BoundOneAddressAndNotTheNext) {
  WrongTries tries;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(tries.MayTry("192.0.2.1", kStart).ok());
    tries.Count("192.0.2.1", kStart);
  }
  const absl::Status status = tries.MayTry("192.0.2.1", kStart);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("too many wrong tokens"));
  EXPECT_TRUE(tries.MayTry("192.0.2.2", kStart).ok());
  EXPECT_TRUE(tries.MayTry("192.0.2.1", kStart + absl::Seconds(11)).ok());
}

TEST(WrongTries, CountANetworkOfIpv6AsOne) {
  WrongTries tries;
  for (int i = 0; i < 5; ++i) tries.Count(absl::StrCat("2001:db8::", i), kStart);
  EXPECT_FALSE(tries.MayTry("2001:db8::77", kStart).ok());
  EXPECT_TRUE(tries.MayTry("2001:db8:0:1::77", kStart).ok());
}

TEST(WrongTries, KeepMappedIpv4AddressesApart) {
  WrongTries tries;
  for (int i = 0; i < 5; ++i) tries.Count("::ffff:192.0.2.1", kStart);
  EXPECT_FALSE(tries.MayTry("::ffff:192.0.2.1", kStart).ok());
  EXPECT_TRUE(tries.MayTry("::ffff:192.0.2.2", kStart).ok());
}

TEST(WrongTries, BoundAllTogether) {
  WrongTries tries;
  for (int i = 0; i < 40; ++i) tries.Count(absl::StrCat("192.0.2.", i), kStart);
  EXPECT_FALSE(tries.MayTry("192.0.2.200", kStart).ok());
  EXPECT_TRUE(tries.MayTry("192.0.2.200", kStart + absl::Seconds(1)).ok());
}

TEST(WrongTries, RememberABoundedNumber) {
  WrongTries tries;
  absl::Time now = kStart;
  for (int i = 0; i < 3 * 4096; ++i) {
    tries.Count(absl::StrCat("192.0.", i / 256, ".", i % 256), now);
    now += absl::Milliseconds(100);
  }
  EXPECT_LE(tries.remembered(), WrongTries::kMostAddresses);
}

}  // namespace
}  // namespace zcluster::controller
