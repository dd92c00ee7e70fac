// SPDX-License-Identifier: Apache-2.0
// A controller that is killed while it writes, at any moment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <random>

#include "common/check.h"
#include "common/loop.h"
#include "common/unique_fd.h"
#include "controller/store/store.h"
#include "tests/controller/store/stage.h"

namespace zcluster::controller {
namespace {

using test::AgentOf;
using test::BatchOf;
using test::Stage;

constexpr int kAgents = 5;

AgentId Agent(int index) { return {absl::StrCat("p", index), "n"}; }

// What the child says that is on the disk.
struct Acknowledged {
  int agent;       // kAgents: a pair was written
  uint64_t taken;  // of the agent's events; or the pair's number
};

// Writes as fast as it can, and says after each answer what is on the disk now. Never returns.
class Child {
 public:
  Child(const Store::Options& options, const std::map<int, uint64_t>& taken, uint64_t pairs,
        int out)
      : out_(out), pairs_(pairs) {
    auto store = Store::Open(loop_, options);
    ZC_CHECK(store.ok());
    store_ = *std::move(store);
    for (const auto& [agent, number] : taken) Append(agent, number + 1);
    WritePair();
    loop_.Run();
  }

 private:
  void Say(const Acknowledged& what) { ZC_CHECK(::write(out_, &what, sizeof what) == sizeof what); }
  // Of 1 to 30 events; two of those before are told again.
  void Append(int agent, uint64_t first) {
    const uint64_t again = first > 2 ? first - 2 : 1;
    store_->Append(BatchOf(Agent(agent), "j", again, first + random_() % 30),
                   [this, agent](const absl::StatusOr<Store::Appended>& appended) {
                     ZC_CHECK(appended.ok());
                     Say({agent, appended->taken});
                     Append(agent, appended->taken + 1);
                   });
  }
  void WritePair() {
    const std::string name = absl::StrCat(++pairs_);
    store_->Write({PutPair{{name, "ca", {{"label", name}}}}}, [this](const absl::Status& status) {
      ZC_CHECK(status.ok());
      Say({kAgents, pairs_});
      WritePair();
    });
  }

  const int out_;
  uint64_t pairs_;
  std::mt19937 random_{static_cast<unsigned>(::getpid())};
  Loop loop_;
  std::unique_ptr<Store> store_;
};

// What was acknowledged before the child was killed, after some `answers`.
class Killed {
 public:
  // False: the child said nothing for a minute, or died by itself.
  bool Run(const Store::Options& options, int answers) {
    int ends[2];
    ZC_CHECK(::pipe(ends) == 0);
    UniqueFd read(ends[0]);
    UniqueFd write(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
      Child(options, taken, pairs, write.get());
      ::_exit(0);
    }
    write.Reset();
    bool alive = true;
    for (int i = 0; i < answers && alive; ++i) alive = Hear(read.get());
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    while (Hear(read.get())) {
    }
    return alive && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

  std::map<int, uint64_t> taken;
  uint64_t pairs = 0;

 private:
  bool Hear(int fd) {
    pollfd ready = {fd, POLLIN, 0};
    Acknowledged what = {};
    if (::poll(&ready, 1, 60'000) != 1 || ::read(fd, &what, sizeof what) != sizeof what) {
      return false;
    }
    (what.agent == kAgents ? pairs : taken[what.agent]) = what.taken;
    return true;
  }
};

TEST(Killed, LosesNothingThatItAcknowledgedAndKeepsNothingTwice) {
  const test::Directory directory;
  Store::Options options{.path = directory.path() + "/controller.db"};
  Killed killed;
  {
    Stage stage(options);
    for (int agent = 0; agent < kAgents; ++agent) {
      killed.taken[agent] = 0;
      ASSERT_TRUE(stage.Write({PutAgent{AgentOf(Agent(agent))}}).ok());
    }
  }
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < 25; ++round) {
    ASSERT_TRUE(killed.Run(options, static_cast<int>(random() % 60))) << "round " << round;
    Stage stage(options);
    ASSERT_TRUE(stage.status().ok()) << stage.status();
    uint64_t events = 0;
    stage.Do([&](Store& store) {
      ASSERT_EQ(store.contents().agents.size(), size_t{kAgents});
      ASSERT_GE(store.contents().pairs.size(), killed.pairs);
      killed.pairs = store.contents().pairs.size();
      for (int agent = 0; agent < kAgents; ++agent) {
        const uint64_t taken = store.contents().agents[static_cast<size_t>(agent)].events_taken;
        ASSERT_GE(taken, killed.taken[agent]) << "acknowledged, and lost";
        killed.taken[agent] = taken;
        events += taken;
      }
      ASSERT_EQ(store.events(), events) << "the records and the events tell different stories";
    });
    for (int agent = 0; agent < kAgents; ++agent) {
      uint64_t after = 0;
      for (uint64_t number = 0; number < killed.taken[agent];) {
        const auto some = stage.Read(
            {.pairs = {Agent(agent).pair}, .after = after, .limit = 10'000, .newest = false});
        ASSERT_TRUE(some.ok()) << some.status();
        ASSERT_FALSE(some->empty()) << "event " << number + 1 << " is missing";
        for (const v1::FleetEvent& event : *some) ASSERT_EQ(event.event().number(), ++number);
        after = some->back().number();
      }
    }
  }
}

}  // namespace
}  // namespace zcluster::controller
