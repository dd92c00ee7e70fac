// SPDX-License-Identifier: Apache-2.0
#include "common/loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

#include "common/unique_fd.h"

namespace zcluster {
namespace {

TEST(Loop, RunsPostedTasksInOrderOnItsThread) {
  Loop loop;
  std::vector<int> seen;
  EXPECT_FALSE(loop.OnLoopThread());
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop.Post([&seen, i] { seen.push_back(i); });
    loop.Post([&] {
      EXPECT_TRUE(loop.OnLoopThread());
      loop.Quit();
    });
  });
  loop.Run();
  other.join();
  ASSERT_EQ(seen.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(Loop, HasPostersThatMayOutliveIt) {
  Loop::Poster post;
  int ran = 0;
  {
    Loop loop;
    post = loop.MakePoster();
    post([&] {
      ++ran;
      loop.Quit();
    });
    loop.Run();
    EXPECT_TRUE(post([&] { ++ran; }));
  }
  EXPECT_FALSE(post([&] { ++ran; }));
  EXPECT_EQ(ran, 1);
}

TEST(Loop, CancelsATimerWhoseRegistrationIsGone) {
  Loop loop;
  bool fired = false;
  Loop::Registration gone = loop.After(absl::Milliseconds(1), [&] { fired = true; });
  gone.reset();
  Loop::Registration end = loop.After(absl::Milliseconds(20), [&] { loop.Quit(); });
  loop.Run();
  EXPECT_FALSE(fired);
}

TEST(Loop, RepeatsUntilCancelledFromWithin) {
  Loop loop;
  int ticks = 0;
  Loop::Registration every;
  every = loop.Every(absl::Milliseconds(1), [&] {
    if (++ticks == 3) {
      every.reset();
      loop.Quit();
    }
  });
  loop.Run();
  EXPECT_EQ(ticks, 3);
}

TEST(Loop, SeesReadableDescriptorsAndLeavesThemOpen) {
  Loop loop;
  UniqueFd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  int seen = 0;
  Loop::Registration watch;
  watch = loop.WatchReadable(fd.get(), [&] {
    eventfd_t value = 0;
    ASSERT_EQ(::eventfd_read(fd.get(), &value), 0);
    if (++seen == 2) {
      watch.reset();
      loop.Quit();
    } else {
      ::eventfd_write(fd.get(), 1);
    }
  });
  ::eventfd_write(fd.get(), 1);
  loop.Run();
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(::eventfd_write(fd.get(), 1), 0);
}

TEST(Loop, HearsSignals) {
  Loop loop;
  int heard = 0;
  Loop::Registration signals = loop.OnSignals({SIGUSR1}, [&](int signal) {
    heard = signal;
    loop.Quit();
  });
  ::raise(SIGUSR1);
  loop.Run();
  EXPECT_EQ(heard, SIGUSR1);
}

}  // namespace
}  // namespace zcluster
