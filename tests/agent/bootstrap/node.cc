// SPDX-License-Identifier: Apache-2.0
#include "tests/agent/bootstrap/node.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace zcluster::bootstrap {
namespace {

template <typename T>
class Awaited {
 public:
  std::function<void(T)> Taker() {
    return [this](T value) {
      value_ = std::move(value);
      done_.Notify();
    };
  }
  T Get() {
    if (!done_.WaitForNotificationWithTimeout(2 * kSoon)) {
      ADD_FAILURE() << "no answer came";
      std::abort();  // the answer would come into what is gone
    }
    return std::move(value_);
  }

 private:
  absl::Notification done_;
  T value_;
};

}  // namespace

absl::Status Recorder::Begin(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  if (!refusal_.ok()) return refusal_;
  ++begun_;
  address_ = address;
  return absl::OkStatus();
}

void Recorder::Carry(const v1::JoinRequest& request, Reply reply) {
  absl::StatusOr<v1::JoinReply> answer;
  {
    absl::MutexLock lock(&mutex_);
    carried_.push_back(request);
    if (owes_) {
      owed_ = std::move(reply);
      return;
    }
    answer = answer_;
  }
  reply(answer);
}

void Recorder::End() {
  absl::MutexLock lock(&mutex_);
  ++ended_;
}

void Recorder::RefuseToBegin(const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  refusal_ = why;
}

void Recorder::AnswerWith(const absl::StatusOr<v1::JoinReply>& reply) {
  absl::MutexLock lock(&mutex_);
  answer_ = reply;
  owes_ = false;
}

void Recorder::Owe() {
  absl::MutexLock lock(&mutex_);
  owes_ = true;
}

void Recorder::Pay(const absl::StatusOr<v1::JoinReply>& reply) {
  Reply owed;
  {
    absl::MutexLock lock(&mutex_);
    owed = std::exchange(owed_, nullptr);
  }
  if (owed != nullptr) owed(reply);
}

int Recorder::begun() {
  absl::MutexLock lock(&mutex_);
  return begun_;
}

int Recorder::ended() {
  absl::MutexLock lock(&mutex_);
  return ended_;
}

std::string Recorder::address() {
  absl::MutexLock lock(&mutex_);
  return address_;
}

std::vector<v1::JoinRequest> Recorder::carried() {
  absl::MutexLock lock(&mutex_);
  return carried_;
}

bool Recorder::WaitForEnd(int times) {
  const auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_ >= times; };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), kSoon);
}

bool Recorder::WaitForMessage(size_t count) {
  const auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return carried_.size() >= count;
  };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), kSoon);
}

Node::Node(std::string state_dir, bool password)
    : state_dir_(std::move(state_dir)), password_(password) {
  Start();
}

Node::~Node() {
  thread_.Do([&] { bootstrap_.reset(); });
}

void Node::Start() {
  thread_.Do([&] {
    bootstrap_.reset();
    auto made = Bootstrap::Make(
        thread_.loop(),
        {.listen = "127.0.0.1:0", .state_dir = state_dir_, .version = "1", .password = password_},
        handler_);
    ZC_CHECK(made.ok());
    bootstrap_ = *std::move(made);
    ZC_CHECK(bootstrap_->Open().ok());
  });
}

void Node::Restart() { Start(); }

std::string Node::Token(absl::Duration lifetime) {
  std::string token;
  Do([&](Bootstrap& bootstrap) {
    const auto made = bootstrap.Token(lifetime);
    token = made.ok() ? made->token() : made.status().ToString();
  });
  return token;
}

std::string Node::Fingerprint() {
  std::string fingerprint;
  Do([&](Bootstrap& bootstrap) { fingerprint = bootstrap.Fingerprint(); });
  return fingerprint;
}

int Node::port() {
  int port = 0;
  Do([&](Bootstrap& bootstrap) { port = bootstrap.port(); });
  return port;
}

std::string Node::address() { return absl::StrCat("127.0.0.1:", port()); }

Caller::Caller(LoopThread& thread, const Join::To& to) : thread_(thread) {
  thread_.Do([&] { join_ = Join::Dial(thread_.loop(), to); });
}

absl::StatusOr<v1::JoinReply> Caller::Admit(std::string secret, std::string password,
                                            absl::Duration limit) {
  Awaited<absl::StatusOr<v1::JoinReply>> answer;
  thread_.Do([&] { join_->Admit(std::move(secret), std::move(password), limit, answer.Taker()); });
  return answer.Get();
}

absl::StatusOr<v1::JoinReply> Caller::Ask(const v1::JoinRequest& request, absl::Duration limit) {
  Awaited<absl::StatusOr<v1::JoinReply>> answer;
  thread_.Do([&] { join_->Ask(request, limit, answer.Taker()); });
  return answer.Get();
}

void Caller::Mention(const v1::JoinRequest& request) {
  thread_.Do([&] { join_->Ask(request, kSoon, [](const auto&) {}); });
}

std::unique_ptr<Caller> NodeTest::Call() {
  return std::make_unique<Caller>(node_->thread(),
                                  Join::To{node_->address(), node_->Fingerprint()});
}

absl::StatusOr<v1::JoinReply> NodeTest::JoinByToken(const std::string& token) {
  const auto parsed = ParseToken(token);
  if (!parsed.ok()) return parsed.status();
  return Call()->Admit(parsed->secret, "");
}

absl::StatusOr<v1::JoinReply> NodeTest::JoinByPassword(const std::string& password) {
  return Call()->Admit("", password);
}

v1::JoinRequest NodeTest::AskAbout(const std::string& address) {
  v1::JoinRequest request;
  request.mutable_ask()->set_address(address);
  return request;
}

}  // namespace zcluster::bootstrap
