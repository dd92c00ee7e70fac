// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/digest.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "common/unique_fd.h"
#include "tests/agent/configsync/scratch.h"

namespace zcluster::configsync {
namespace {

TEST(Digest, IsXxh3OfTheBytes) {
  // The published XXH3-128 of nothing.
  EXPECT_EQ(Hasher().Finish().Hex(), "99aa06d3014798d86001c324468d497f");
}

TEST(Digest, SurvivesTheWire) {
  Hasher hasher;
  hasher.Add("something");
  const Digest digest = hasher.Finish();
  const auto back = Digest::FromBytes(digest.Bytes());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, digest);
  EXPECT_FALSE(Digest::FromBytes("short").ok());
}

TEST(Hasher, TellsWhereATextEnds) {
  Hasher one;
  one.AddText("ab");
  one.AddText("c");
  Hasher two;
  two.AddText("a");
  two.AddText("bc");
  EXPECT_NE(one.Finish(), two.Finish());
}

TEST(DigestOf, ReadsAFileAndNoMoreThanItMay) {
  const Scratch scratch;
  Write(scratch / "f", "something");
  Hasher hasher;
  hasher.Add("something");
  const UniqueFd whole(::open((scratch / "f").c_str(), O_RDONLY));
  const auto content = DigestOf(whole.get(), 9);
  ASSERT_TRUE(content.ok());
  EXPECT_EQ(content->digest, hasher.Finish());
  EXPECT_EQ(content->size, 9U);
  const UniqueFd bounded(::open((scratch / "f").c_str(), O_RDONLY));
  EXPECT_FALSE(DigestOf(bounded.get(), 8).ok());
}

}  // namespace
}  // namespace zcluster::configsync
