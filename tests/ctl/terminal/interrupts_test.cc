// SPDX-License-Identifier: Apache-2.0
#include "ctl/terminal/interrupts.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

namespace zcluster::ctl {
namespace {

bool Readable(int fd) {
  pollfd wait{fd, POLLIN, 0};
  return poll(&wait, 1, 0) == 1;
}

TEST(Interrupts, ASignalIsReadInsteadOfEndingUs) {
  Interrupts interrupts({SIGTERM, SIGINT});
  EXPECT_FALSE(Readable(interrupts.fd()));
  EXPECT_EQ(interrupts.Take(), 0);
  raise(SIGTERM);
  EXPECT_TRUE(Readable(interrupts.fd()));
  EXPECT_EQ(interrupts.Take(), SIGTERM);
  EXPECT_EQ(interrupts.Take(), 0);
}

TEST(Interrupts, ASignalThatHitsAnotherThreadIsReadToo) {
  Interrupts interrupts({SIGINT});
  std::thread other([] { raise(SIGINT); });  // to this thread, and no other
  other.join();
  EXPECT_EQ(interrupts.Take(), SIGINT);
}

TEST(Interrupts, AfterwardsSignalsDoWhatTheyDid) {
  struct sigaction before {
  }, during{}, after{};
  sigaction(SIGINT, nullptr, &before);
  {
    Interrupts interrupts({SIGINT});
    sigaction(SIGINT, nullptr, &during);
  }
  sigaction(SIGINT, nullptr, &after);
  EXPECT_NE(during.sa_handler, before.sa_handler);
  EXPECT_EQ(after.sa_handler, before.sa_handler);
}

TEST(Interrupts, WhatWasIgnoredStaysIgnored) {
  signal(SIGHUP, SIG_IGN);  // as nohup does
  {
    Interrupts interrupts({SIGHUP});
    raise(SIGHUP);
    EXPECT_EQ(interrupts.Take(), 0);
  }
  signal(SIGHUP, SIG_DFL);
}

TEST(Interrupts, MayBeHadAgain) {
  { Interrupts interrupts({SIGINT}); }
  Interrupts interrupts({SIGINT});
  raise(SIGINT);
  EXPECT_EQ(interrupts.Take(), SIGINT);
}

}  // namespace
}  // namespace zcluster::ctl
