// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/notify_fifo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace zcluster::heartbeat {
namespace {

using core::VrrpState;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(NotifyParser, ReadsEachState) {
  NotifyParser parser;
  EXPECT_THAT(
      parser.Feed("INSTANCE \"zcluster\" BACKUP 252\nINSTANCE \"zcluster\" MASTER 253\n"
                  "INSTANCE \"zcluster\" FAULT 252\nINSTANCE \"zcluster\" STOP 252\n"),
      ElementsAre(VrrpState::kBackup, VrrpState::kMaster, VrrpState::kFault, VrrpState::kDown));
}

TEST(NotifyParser, JoinsLinesThatComeInPieces) {
  NotifyParser parser;
  const std::string line = "INSTANCE \"zcluster\" MASTER 252\n";
  for (size_t i = 0; i + 1 < line.size(); ++i)
    EXPECT_THAT(parser.Feed(line.substr(i, 1)), IsEmpty());
  EXPECT_THAT(parser.Feed("\n"), ElementsAre(VrrpState::kMaster));
}

TEST(NotifyParser, SkipsWhatIsNoStateOfOurs) {
  NotifyParser parser;
  EXPECT_THAT(
      parser.Feed(
          "INSTANCE \"zcluster\" MASTER_RX_LOWER_PRI 252\nINSTANCE \"other\" MASTER 1\n"
          "GROUP \"zcluster\" MASTER 0\n\nINSTANCE\nINSTANCE \"zcluster\"\n\x01\xff nonsense\n"
          "INSTANCE \"zcluster\" BACKUP 252\n"),
      ElementsAre(VrrpState::kBackup));
}

TEST(NotifyParser, KeepsNoMoreThanALine) {
  NotifyParser parser;
  for (int i = 0; i < 1000; ++i) EXPECT_THAT(parser.Feed(std::string(1000, 'x')), IsEmpty());
  EXPECT_THAT(parser.Feed("INSTANCE \"zcluster\" MASTER 252\nINSTANCE \"zcluster\" FAULT 252\n"),
              ElementsAre(VrrpState::kFault));
}

class NotifyFifoTest : public testing::Test {
 protected:
  NotifyFifoTest() {
    std::string pattern = testing::TempDir() + "/zt-fifo-XXXXXX";
    path_ = std::string(::mkdtemp(pattern.data())) + "/notify.fifo";
  }
  ~NotifyFifoTest() override {
    std::filesystem::remove_all(std::filesystem::path(path_).parent_path());
  }

  void Write(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }

  Loop loop_;
  std::string path_;
  std::vector<VrrpState> told_;
};

TEST_F(NotifyFifoTest, TellsWhatIsWritten) {
  NotifyFifo fifo(loop_, path_);
  ASSERT_TRUE(fifo.Open([&](VrrpState state) {
                    told_.push_back(state);
                    loop_.Quit();
                  })
                  .ok());
  struct stat info = {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode, static_cast<mode_t>(S_IFIFO | 0600));
  Write("INSTANCE \"zcluster\" MASTER 252\n");
  loop_.Run();
  EXPECT_THAT(told_, ElementsAre(VrrpState::kMaster));
}

TEST_F(NotifyFifoTest, TakesWhatWasWrittenBefore) {
  NotifyFifo fifo(loop_, path_);
  ASSERT_TRUE(fifo.Open([&](VrrpState state) { told_.push_back(state); }).ok());
  Write("INSTANCE \"zcluster\" MASTER 252\nINSTANCE \"zcluster\" BACKUP 252\n");
  EXPECT_THAT(fifo.Take(), ElementsAre(VrrpState::kMaster, VrrpState::kBackup));
  EXPECT_THAT(fifo.Take(), IsEmpty());
}

TEST_F(NotifyFifoTest, IsMadeAnewWhenItWasRemoved) {
  NotifyFifo fifo(loop_, path_);
  ASSERT_TRUE(fifo.Open([](VrrpState) {}).ok());
  std::filesystem::remove(path_);
  ASSERT_TRUE(fifo.Open([](VrrpState) {}).ok());
  Write("INSTANCE \"zcluster\" FAULT 252\n");
  EXPECT_THAT(fifo.Take(), ElementsAre(VrrpState::kFault));
}

TEST_F(NotifyFifoTest, RefusesWhatIsNoFifo) {
  std::ofstream(path_) << "something";
  NotifyFifo fifo(loop_, path_);
  EXPECT_EQ(fifo.Open([](VrrpState) {}).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace zcluster::heartbeat
