// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/kernel.h"

#include <stdlib.h>

#include <filesystem>

#include "common/file.h"
#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

TEST(Kernel, TellsHowFullTheTableOfTheNamespaceIs) {
  Netns netns;
  ASSERT_EQ(Change(netns, Verb::kCreate, {Natted(0), Natted(1)}), 0U);
  netns.Run([] {
    EXPECT_EQ(ReadTableFill().entries, 2U);
    EXPECT_GT(ReadTableFill().maximum, 2U);
  });
}

TEST(Kernel, EventsAreTurnedOnInTheNamespaceOfTheThread) {
  Netns netns;
  netns.Shell("echo 2 > /proc/sys/net/netfilter/nf_conntrack_events");
  netns.Run([] {
    EXPECT_TRUE(TurnEventsOn("").ok());
    EXPECT_TRUE(TurnEventsOn("").ok());
  });
  netns.Shell("test $(cat /proc/sys/net/netfilter/nf_conntrack_events) = 1");
}

class Events : public testing::Test {
 protected:
  Events() {
    std::string name = "/tmp/zt-ct-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    file_ = directory_ + "/events";
  }
  ~Events() override { std::filesystem::remove_all(directory_); }

  void Set(int value) const {
    netns_.Shell(absl::StrCat("echo ", value, " > /proc/sys/net/netfilter/nf_conntrack_events"));
  }
  void ExpectThatTheyAre(int value) const {
    netns_.Shell(absl::StrCat("test $(cat /proc/sys/net/netfilter/nf_conntrack_events) = ", value));
  }
  void TurnOn() const {
    netns_.Run([this] { EXPECT_TRUE(TurnEventsOn(file_).ok()); });
    ExpectThatTheyAre(1);
  }
  absl::Status Restore() const {
    absl::Status status;
    netns_.Run([&] { status = RestoreEvents(file_); });
    return status;
  }

  const Netns netns_;
  std::string directory_;
  std::string file_;
};

TEST_F(Events, AreRestoredToWhatTheyWere) {
  for (int before : {0, 2}) {
    Set(before);
    TurnOn();
    EXPECT_TRUE(Restore().ok());
    ExpectThatTheyAre(before);
    EXPECT_FALSE(std::filesystem::exists(file_));
  }
}

TEST_F(Events, AreRememberedAsTheyWereAtFirst) {
  Set(2);
  TurnOn();
  Set(0);  // another boot, with other settings
  TurnOn();
  EXPECT_TRUE(Restore().ok());
  ExpectThatTheyAre(2);
}

TEST_F(Events, ThatWereOnStayOn) {
  Set(1);
  TurnOn();
  EXPECT_FALSE(std::filesystem::exists(file_));
  EXPECT_TRUE(Restore().ok());
  ExpectThatTheyAre(1);
}

TEST_F(Events, AreNotSetToGarbage) {
  Set(1);
  ASSERT_TRUE(WriteFileAtomically(file_, "7\n", 0600).ok());
  const absl::Status status = Restore();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(status.message().find(file_), std::string::npos);
  ExpectThatTheyAre(1);
}

TEST_F(Events, AreTurnedOnThoughNothingCanBeRemembered) {
  file_ = directory_ + "/missing/events";
  Set(2);
  TurnOn();
}

}  // namespace
}  // namespace zcluster::conntrack
