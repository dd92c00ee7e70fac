// SPDX-License-Identifier: Apache-2.0
#include "agent/events/events.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "agent/events/file.h"
#include "agent/events/waiting.h"
#include "common/unique_fd.h"
#include "tests/agent/events/scratch.h"
#include "tests/support/loop_thread.h"

namespace zcluster::events {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr absl::Duration kPatience = absl::Seconds(20);

class Nobody : public EventSink {
 public:
  void Report(core::Event) override { ADD_FAILURE() << "the brain need not know"; }
};

// One run of the agent.
class AgentRun {
 public:
  explicit AgentRun(const std::string& path) : journal_(loop_.loop(), {path, "0.7.1"}) {
    loop_.Do([&] { EXPECT_TRUE(journal_.Start(nobody_).ok()); });
  }
  ~AgentRun() { Stop(); }
  void Stop() {
    loop_.Do([&] { journal_.Stop(); });
  }

  // Decides `count` times: e`first`, e`first + 1`, …
  void Decide(uint64_t first, uint64_t count) {
    loop_.Do([&] {
      for (uint64_t i = first; i < first + count; ++i)
        journal_.Perform(core::LogDecision{absl::StrCat("e", i), {{"i", absl::StrCat(i)}}, false});
    });
  }
  // Waits for something that is true on the loop.
  bool Wait(const std::function<bool(const Journal&)>& met) {
    return WaitUntil(kPatience, [&] {
      bool is = false;
      loop_.Do([&] { is = met(journal_); });
      return is;
    });
  }
  bool WaitForLast(uint64_t last) {
    return Wait([last](const Journal& journal) { return journal.last() == last; });
  }
  absl::StatusOr<v1::EventBatch> Read(uint64_t after, size_t limit = 256) {
    absl::StatusOr<v1::EventBatch> answer;
    absl::Notification answered;
    loop_.Do([&] {
      journal_.Read(after, limit, [&](absl::StatusOr<v1::EventBatch> batch) {
        EXPECT_TRUE(loop_.loop().OnLoopThread());
        answer = std::move(batch);
        answered.Notify();
      });
    });
    EXPECT_TRUE(answered.WaitForNotificationWithTimeout(kPatience));
    return answer;
  }
  // "NUMBER NAME" of all there is.
  std::vector<std::string> All() {
    std::vector<std::string> texts;
    uint64_t after = 0;
    while (true) {
      const absl::StatusOr<v1::EventBatch> batch = Read(after);
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok() || batch->events_size() == 0) return texts;
      for (const v1::Event& event : batch->events()) {
        texts.push_back(absl::StrCat(event.number(), " ", event.name()));
        after = event.number();
      }
    }
  }
  template <typename T>
  T Ask(const std::function<T(Journal&)>& question) {
    T answer;
    loop_.Do([&] { answer = question(journal_); });
    return answer;
  }
  std::string Id() {
    return Ask<std::string>([](Journal& journal) { return journal.id(); });
  }
  std::string Problem() {
    return Ask<std::string>([](Journal& journal) { return journal.problem(); });
  }
  test::LoopThread& loop() { return loop_; }
  Journal& journal() { return journal_; }

 private:
  Nobody nobody_;
  test::LoopThread loop_;
  Journal journal_;
};

class JournalTest : public Scratch {
 protected:
  void Sql(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }
  std::string Bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(JournalTest, ARunBeginsWithItsStart) {
  AgentRun run(path_);
  ASSERT_TRUE(run.WaitForLast(1));
  const absl::StatusOr<v1::EventBatch> batch = run.Read(0);
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ(batch->events_size(), 1);
  EXPECT_EQ(batch->events(0).name(), "agent_started");
  EXPECT_EQ(batch->events(0).fields(0).name(), "version");
  EXPECT_EQ(batch->events(0).fields(0).value(), "0.7.1");
  EXPECT_NEAR(static_cast<double>(batch->events(0).at().seconds()),
              static_cast<double>(absl::ToUnixSeconds(absl::Now())), 60);
  EXPECT_EQ(run.Id().size(), 32U);
  EXPECT_EQ(run.Problem(), "");
}

TEST_F(JournalTest, KeepsDecisionsInTheirOrderOverRuns) {
  std::string id;
  {
    AgentRun run(path_);
    run.Decide(2, 3);
    ASSERT_TRUE(run.WaitForLast(4));
    id = run.Id();
  }
  AgentRun run(path_);
  EXPECT_EQ(run.Id(), id);
  EXPECT_GE(run.Ask<uint64_t>([](Journal& journal) { return journal.last(); }), 4U)
      << "known as soon as it has started";
  run.Decide(6, 1);
  ASSERT_TRUE(run.WaitForLast(6));
  EXPECT_THAT(run.All(), testing::ElementsAre("1 agent_started", "2 e2", "3 e3", "4 e4",
                                              "5 agent_started", "6 e6"));
  EXPECT_THAT(run.Read(2, 2)->events(1).name(), "e4");
}

TEST_F(JournalTest, IgnoresOrdersThatAreForOthers) {
  AgentRun run(path_);
  run.loop().Do([&] {
    run.journal().Perform(core::Announce{});
    run.journal().Perform(core::LogDecision{"promoted", {}, true});
  });
  ASSERT_TRUE(run.WaitForLast(2));
  EXPECT_TRUE(run.Read(1)->events(0).warning());
}

TEST_F(JournalTest, TellsWhenItHasGrown) {
  AgentRun run(path_);
  ASSERT_TRUE(run.WaitForLast(1));
  std::vector<uint64_t> told;  // the loop's
  run.loop().Do([&] { run.journal().OnGrown([&] { told.push_back(run.journal().last()); }); });
  for (uint64_t i = 2; i <= 5; ++i) {
    run.Decide(i, 1);
    ASSERT_TRUE(run.WaitForLast(i));
  }
  run.loop().Do([&] {
    EXPECT_THAT(told, testing::ElementsAre(2, 3, 4, 5));
    run.journal().OnGrown({});
  });
  run.Decide(6, 1);
  ASSERT_TRUE(run.WaitForLast(6));
  run.loop().Do([&] { EXPECT_EQ(told.size(), 4U); });
}

TEST_F(JournalTest, WhatItSaysToHaveSurvivesAKill) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    AgentRun run(path_);
    run.loop().Do([&] {
      run.journal().OnGrown([&] {
        const uint64_t last = run.journal().last();
        if (::write(write_end.get(), &last, sizeof last) != sizeof last) ::_exit(1);
      });
    });
    for (uint64_t next = 2;; next += 7) {
      run.Decide(next, 7);
      run.Wait([next](const Journal& journal) { return journal.last() + 100 > next; });
    }
  }
  write_end.Reset();
  uint64_t last = 0;
  while (last < 2000 && ::read(read_end.get(), &last, sizeof last) == sizeof last) {
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  while (::read(read_end.get(), &last, sizeof last) == sizeof last) {
  }
  EXPECT_GE(last, 2000U);

  AgentRun run(path_);
  const std::vector<std::string> all = run.All();
  ASSERT_GE(all.size(), last);
  EXPECT_EQ(run.Problem(), "");
  for (uint64_t i = 2; i <= last; ++i) ASSERT_EQ(all[i - 1], absl::StrCat(i, " e", i));
}

TEST_F(JournalTest, AStopWritesWhatWaits) {
  {
    AgentRun run(path_);
    run.loop().Do([&] {
      for (int i = 0; i < 5000; ++i) run.journal().Perform(core::LogDecision{"e", {}, false});
      run.journal().Stop();
    });
  }
  const auto file = File::Open(path_, "", 0);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->span(), (Span{1, 5001}));
}

TEST_F(JournalTest, NobodyIsAnsweredAfterAStop) {
  AgentRun run(path_);
  bool answered = false;
  run.loop().Do([&] {
    for (int i = 0; i < 100; ++i) {
      run.journal().Read(0, 10, [&](const absl::StatusOr<v1::EventBatch>&) { answered = true; });
    }
    run.journal().Stop();
  });
  run.loop().Do([&] { EXPECT_FALSE(answered); });
}

TEST_F(JournalTest, TooManyQuestionsAreRefusedNotKept) {
  AgentRun run(path_);
  int refused = 0;
  int answered = 0;
  run.loop().Do([&] {
    for (int i = 0; i < 10000; ++i) {
      run.journal().Read(0, 256, [&](const absl::StatusOr<v1::EventBatch>& batch) {
        ++answered;
        if (absl::IsUnavailable(batch.status())) ++refused;
      });
    }
  });
  EXPECT_TRUE(run.Wait([&](const Journal&) { return answered == 10000; }));
  run.loop().Do([&] { EXPECT_GT(refused, 0); });
}

TEST_F(JournalTest, ADamagedFileIsSetAsideAndANewOneBegins) {
  std::ofstream(path_) << std::string(20000, 'x');
  AgentRun run(path_);
  run.Decide(2, 1);
  ASSERT_TRUE(run.WaitForLast(2));
  EXPECT_THAT(run.All(), testing::ElementsAre("1 agent_started", "2 e2"));
  EXPECT_EQ(run.Problem(), "");
  EXPECT_THAT(Files(), testing::Contains("events.db.broken-1"));
}

TEST_F(JournalTest, OneThatIsFoundDamagedInUseIsReplacedUnderTheSameName) {
  AgentRun run(path_);
  run.Decide(2, 4);
  ASSERT_TRUE(run.WaitForLast(5));
  const std::string id = run.Id();
  Sql("DELETE FROM event WHERE number=3");
  EXPECT_TRUE(absl::IsDataLoss(run.Read(0).status()));
  run.Decide(6, 2);
  ASSERT_TRUE(run.WaitForLast(7));
  EXPECT_EQ(run.Id(), id);
  EXPECT_THAT(run.All(), testing::ElementsAre("6 e6", "7 e7"));
  EXPECT_EQ(run.Problem(), "");
  run.Stop();
  AgentRun next(path_);
  EXPECT_EQ(next.Id(), id);
  EXPECT_TRUE(next.WaitForLast(8));
}

TEST_F(JournalTest, ANewerProgramsFileIsLeftAlone) {
  { AgentRun run(path_); }
  Sql("PRAGMA user_version=2; PRAGMA wal_checkpoint(TRUNCATE)");
  const std::string before = Bytes();
  {
    AgentRun run(path_);
    run.Decide(2, 1);
    ASSERT_TRUE(run.WaitForLast(2));
    EXPECT_THAT(run.All(), testing::ElementsAre("1 agent_started", "2 e2"));
    EXPECT_THAT(run.Problem(), HasSubstr("newer zagent"));
    EXPECT_THAT(run.Problem(), HasSubstr("in memory only"));
  }
  EXPECT_EQ(Bytes(), before);
  Sql("PRAGMA user_version=1");
  AgentRun run(path_);
  ASSERT_TRUE(run.WaitForLast(2));
}

TEST_F(JournalTest, ADirectoryThatComesLaterIsTaken) {
  const std::string later = directory_ + "/later";
  AgentRun run(later + "/events.db");
  run.Decide(2, 1);
  ASSERT_TRUE(run.Wait([](const Journal& journal) { return !journal.problem().empty(); }));
  EXPECT_THAT(run.Id(), IsEmpty());
  EXPECT_THAT(std::string(run.Read(0).status().message()), StartsWith("events cannot be read: "));
  std::filesystem::create_directory(later);
  ASSERT_TRUE(run.WaitForLast(2));
  EXPECT_EQ(run.Id().size(), 32U);
  EXPECT_TRUE(run.Wait([](const Journal& journal) { return journal.problem().empty(); }));
}

// A disk of 2 MiB that can be filled, seen by nobody but the test's own threads.
class FullDisk : public JournalTest {
 protected:
  void Within(const std::function<void()>& task) {
    std::thread([&] {
      ASSERT_EQ(::unshare(CLONE_NEWNS), 0) << "are we root?";
      ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
      ASSERT_EQ(::mount("none", directory_.c_str(), "tmpfs", 0, "size=2m"), 0);
      task();
    }).join();
  }
  void Fill() const {
    std::ofstream file(directory_ + "/filler", std::ios::binary);
    const std::string some(4096, 'f');
    while (file.write(some.data(), static_cast<std::streamsize>(some.size())).flush()) {
    }
  }
  void MakeRoom() const { std::filesystem::remove(directory_ + "/filler"); }
};

TEST_F(FullDisk, EventsWaitForRoom) {
  Within([this] {
    AgentRun run(path_);
    ASSERT_TRUE(run.WaitForLast(1));
    Fill();
    run.Decide(2, 500);
    ASSERT_TRUE(run.Wait([](const Journal& journal) { return !journal.problem().empty(); }));
    EXPECT_THAT(run.Problem(), HasSubstr("the disk is full"));
    run.Decide(502, 500);
    const uint64_t last = run.Ask<uint64_t>([](Journal& journal) { return journal.last(); });
    EXPECT_LT(last, 1001U);
    EXPECT_EQ(run.All().size(), last) << "what is there can be read";
    MakeRoom();
    ASSERT_TRUE(run.WaitForLast(1001));
    EXPECT_TRUE(run.Wait([](const Journal& journal) { return journal.problem().empty(); }));
    const std::vector<std::string> all = run.All();
    for (uint64_t i = 2; i <= 1001; ++i) ASSERT_EQ(all[i - 1], absl::StrCat(i, " e", i));
  });
}

TEST_F(FullDisk, WhatGivesWayIsToldLater) {
  Within([this] {
    AgentRun run(path_);
    ASSERT_TRUE(run.WaitForLast(1));
    Fill();
    run.Decide(0, 1000);
    ASSERT_TRUE(run.Wait([](const Journal& journal) { return !journal.problem().empty(); }));
    const uint64_t last = run.Ask<uint64_t>([](Journal& journal) { return journal.last(); });
    run.Decide(1000, Waiting::kMaxEvents + 1000);
    MakeRoom();
    // The newest, and one that tells of the others.
    ASSERT_TRUE(run.WaitForLast(last + Waiting::kMaxEvents + 1));
    const v1::Event told = run.Read(last, 1)->events(0);
    EXPECT_EQ(told.name(), "events_dropped");
    EXPECT_TRUE(told.warning());
    EXPECT_EQ(told.fields(0).name(), "count");
    // All but the start were decisions.
    EXPECT_EQ(told.fields(0).value(), absl::StrCat(2000 - (last - 1)));
    const std::vector<std::string> all = run.All();
    EXPECT_EQ(all.back(),
              absl::StrCat(last + Waiting::kMaxEvents + 1, " e", Waiting::kMaxEvents + 1999));
  });
}

TEST_F(FullDisk, AStopDoesNotWaitForRoom) {
  Within([this] {
    AgentRun run(path_);
    ASSERT_TRUE(run.WaitForLast(1));
    Fill();
    run.Decide(2, 5000);
    run.Stop();
  });
}

}  // namespace
}  // namespace zcluster::events
