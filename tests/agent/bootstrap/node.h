// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "agent/bootstrap/bootstrap.h"
#include "common/check.h"
#include "tests/support/certificates.h"

// A node that takes joins, and callers, over real TLS on loopback.
namespace zcluster::bootstrap {

inline constexpr absl::Duration kSoon = absl::Seconds(20);  // only a broken product takes longer

// A loop with a thread.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.Run(); }) {}
  ~LoopThread() {
    loop_.Quit();
    thread_.join();
  }
  Loop& loop() { return loop_; }
  // Runs `task` there, and returns when it has.
  void Do(const std::function<void()>& task) {
    absl::Notification done;
    loop_.Post([&] {
      task();
      done.Notify();
    });
    done.WaitForNotification();
  }

 private:
  Loop loop_;
  std::thread thread_;
};

// What the node's join does: remembers, and answers each message with what was set.
class Recorder : public JoinHandler {
 public:
  absl::Status Begin(const std::string& address) override;
  void Carry(const v1::JoinRequest& request, Reply reply) override;
  void End() override;

  void RefuseToBegin(const absl::Status& why);
  void AnswerWith(const absl::StatusOr<v1::JoinReply>& reply);
  // The replies are owed, until this is undone by AnswerWith().
  void Owe();
  // Gives a reply that is owed.
  void Pay(const absl::StatusOr<v1::JoinReply>& reply);

  int begun();
  int ended();
  std::string address();
  std::vector<v1::JoinRequest> carried();
  bool WaitForEnd(int times);
  bool WaitForMessage(size_t count);

 private:
  absl::Mutex mutex_;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  bool owes_ ABSL_GUARDED_BY(mutex_) = false;
  absl::StatusOr<v1::JoinReply> answer_ ABSL_GUARDED_BY(mutex_) = v1::JoinReply();
  int begun_ ABSL_GUARDED_BY(mutex_) = 0;
  int ended_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string address_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::JoinRequest> carried_ ABSL_GUARDED_BY(mutex_);
  Reply owed_ ABSL_GUARDED_BY(mutex_);
};

// A node in no pair. Listens when made.
class Node {
 public:
  explicit Node(std::string state_dir, bool password = true);
  ~Node();
  // As when its agent is started again.
  void Restart();
  void Do(const std::function<void(Bootstrap&)>& task) {
    thread_.Do([&] { task(*bootstrap_); });
  }
  std::string Token(absl::Duration lifetime = absl::Minutes(15));
  std::string Fingerprint();
  int port();
  std::string address();
  Loop& loop() { return thread_.loop(); }
  LoopThread& thread() { return thread_; }
  Recorder& handler() { return handler_; }

 private:
  void Start();

  const std::string state_dir_;
  const bool password_;
  LoopThread thread_;
  Recorder handler_;
  std::unique_ptr<Bootstrap> bootstrap_;
};

// Who wants the node to join; on the node's loop, to spare a thread.
class Caller {
 public:
  Caller(LoopThread& thread, const Join::To& to);
  ~Caller() { Leave(); }
  void Leave() {
    thread_.Do([this] { join_.reset(); });
  }
  absl::StatusOr<v1::JoinReply> Admit(std::string secret, std::string password,
                                      absl::Duration limit = kSoon);
  absl::StatusOr<v1::JoinReply> Ask(const v1::JoinRequest& request, absl::Duration limit = kSoon);
  // Asks, and does not wait for the answer.
  void Mention(const v1::JoinRequest& request);

 private:
  LoopThread& thread_;
  std::unique_ptr<Join> join_;
};

class NodeTest : public testing::Test {
 protected:
  // A caller that knows the node.
  std::unique_ptr<Caller> Call();
  // With a token.
  absl::StatusOr<v1::JoinReply> JoinByToken(const std::string& token);
  absl::StatusOr<v1::JoinReply> JoinByPassword(const std::string& password);
  static v1::JoinRequest AskAbout(const std::string& address);

  test::TempDirectory directory_;
  std::unique_ptr<Node> node_ = std::make_unique<Node>(directory_.path() + "/bootstrap");
};

}  // namespace zcluster::bootstrap
