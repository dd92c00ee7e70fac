// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/file.h"
#include "tests/support/certificates.h"

namespace zcluster::lifecycle {
namespace {

TEST(Journal, SaysNothingIfThereIsNone) {
  test::TempDirectory directory;
  const auto journal = ReadJournal(directory.path() + "/journal.yaml");
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ(journal->phase(), v1::Journal::PHASE_UNSPECIFIED);
}

TEST(Journal, ReadsWhatItWrote) {
  test::TempDirectory directory;
  const std::string file = directory.path() + "/journal.yaml";
  ASSERT_TRUE(WriteJournal(file, "0123", v1::Journal::PHASE_CREATING).ok());
  const auto journal = ReadJournal(file);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ(journal->phase(), v1::Journal::PHASE_CREATING);
  EXPECT_EQ(journal->id(), "0123");
  ASSERT_TRUE(RemoveJournal(file).ok());
  EXPECT_EQ(ReadJournal(file)->phase(), v1::Journal::PHASE_UNSPECIFIED);
}

TEST(Journal, ThatIsGarbageIsNamed) {
  test::TempDirectory directory;
  const std::string file = directory.path() + "/journal.yaml";
  ASSERT_TRUE(WriteFileDurably(file, "phase: FLYING\n", 0600).ok());
  EXPECT_THAT(std::string(ReadJournal(file).status().message()), testing::HasSubstr(file));
}

}  // namespace
}  // namespace zcluster::lifecycle
