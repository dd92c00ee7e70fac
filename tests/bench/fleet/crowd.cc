// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/fleet/crowd.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/certificate.h"
#include "tests/bench/fleet/samples.h"

namespace zcluster::fleet_bench {
namespace {

// How finely reports are spread, and how often the loop wakes for them.
constexpr absl::Duration kTick = absl::Milliseconds(20);
// As the real agent does it.
constexpr double kJitter = 0.1;
constexpr absl::Duration kFirstWait = absl::Milliseconds(500);
constexpr absl::Duration kLongestWait = absl::Minutes(5);
// Flows of a pair, about.
constexpr uint64_t kFlows = 80'000;
// Batches of an agent that are not acknowledged, at most.
constexpr size_t kUnderWay = 4;
constexpr absl::Duration kPace = absl::Milliseconds(1);

absl::Duration ToAbsl(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace

Crowd::Crowd(const std::string& address, const std::vector<test::FleetIdentity>& agents)
    : identities_(agents) {
  // One machine each has its own; here one process has thousands.
  const std::shared_ptr<const tls::Trust> trust =
      identities_.empty() ? nullptr : tls::Trust::In(identities_.front().ca);
  for (test::FleetIdentity& identity : identities_) identity.trust = trust;
  for (size_t i = 0; i < identities_.size(); ++i) {
    members_.push_back(std::make_unique<Member>());
    members_[i]->identity = &identities_[i];
    members_[i]->longest_wait = kFirstWait;
    members_[i]->agent = std::make_unique<test::FleetAgent>(OptionsOf(i, address));
  }
  loop_.Post([this] { tick_ = loop_.Every(kTick, [this] { Tick(); }); });
  thread_ = std::thread([this] { loop_.Run(); });
}

Crowd::~Crowd() {
  stopping_ = true;
  flood_ = 0;
  absl::Notification stopped;
  loop_.Post([&] {
    tick_.reset();
    stopped.Notify();
  });
  stopped.WaitForNotification();
  // All at once, then each waits for its own end.
  for (auto& member : members_) member->agent->Cut();
  for (auto& member : members_) member->agent.reset();
  loop_.Quit();
  thread_.join();
}

test::FleetAgent::Options Crowd::OptionsOf(size_t member, const std::string& address) {
  test::FleetAgent::Options options;
  options.address = address;
  options.identity = identities_[member];
  // Every run begins a journal of its own, as a node that was installed anew does.
  options.hello =
      test::HelloOf(options.identity, absl::StrCat("bench-", absl::GetCurrentTimeNanos()));
  options.welcomed = [this, member](const v1::Welcome& welcome) { OnWelcome(member, welcome); };
  options.heard = [this, member](const v1::ControllerMessage& message) {
    if (message.has_events_taken()) OnTaken(member, message.events_taken().number());
  };
  options.ended = [this, member](const absl::Status& status) { OnEnded(member, status); };
  return options;
}

absl::Status Crowd::Connect(absl::Duration patience) {
  for (auto& member : members_) member->agent->Dial();
  const auto all = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return welcome_ == members_.size();
  };
  absl::MutexLock lock(&mutex_);
  if (mutex_.AwaitWithTimeout(absl::Condition(&all), patience)) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat(welcome_, " of ", members_.size(), " agents have their Welcome after ",
                   absl::FormatDuration(patience), "; ", ended_.load(),
                   " streams ended, the last so: ", reason_));
}

std::string Crowd::reason() const {
  absl::MutexLock lock(&mutex_);
  return reason_;
}

uint64_t Crowd::Tell(uint64_t rate, absl::Duration duration) {
  const absl::Time begin = Loop::Now();
  uint64_t told = 0;
  for (absl::Duration passed; (passed = Loop::Now() - begin) < duration; absl::SleepFor(kPace)) {
    const auto due =
        static_cast<uint64_t>(absl::ToDoubleSeconds(passed) * static_cast<double>(rate));
    for (; told < due; ++told) members_[told % members_.size()]->agent->Tell({EventNow()});
  }
  return told;
}

void Crowd::Flood(size_t batch) {
  flood_ = batch;
  if (batch == 0) return;
  for (auto& member : members_) FillUp(*member, batch);
}

// As many batches as an agent may have under way.
void Crowd::FillUp(Member& member, size_t batch) {
  for (size_t n = member.agent->unacknowledged() / batch; n < kUnderWay; ++n)
    TellBatch(member, batch);
}

void Crowd::TellBatch(Member& member, size_t batch) {
  member.agent->Tell(std::vector<v1::Event>(batch, EventNow()));
}

void Crowd::OnWelcome(size_t member, const v1::Welcome& welcome) {
  {
    absl::MutexLock lock(&mutex_);
    members_[member]->welcome = true;
    ++welcome_;
  }
  loop_.Post([this, member, interval = ToAbsl(welcome.report_interval())] {
    Member& one = *members_[member];
    one.interval = std::clamp(interval, absl::Seconds(1), absl::Minutes(10));
    one.longest_wait = kFirstWait;
    ++one.streams;
    Report(member);
  });
}

void Crowd::OnTaken(size_t member, uint64_t number) {
  Member& one = *members_[member];
  const uint64_t before = one.taken.exchange(number);
  acknowledged_ += number - before;
  const size_t batch = flood_;
  if (batch > 0) FillUp(one, batch);
}

void Crowd::OnEnded(size_t member, const absl::Status& status) {
  if (stopping_) return;
  ++ended_;
  {
    absl::MutexLock lock(&mutex_);
    if (members_[member]->welcome.exchange(false)) --welcome_;
    reason_ = status.ToString();
  }
  loop_.Post([this, member] {
    Member& one = *members_[member];
    due_.push({Loop::Now() + absl::Uniform(random_, 0.5, 1.0) * one.longest_wait, member, 0});
    one.longest_wait = std::min(2 * one.longest_wait, kLongestWait);
  });
}

void Crowd::Tick() {
  const absl::Time now = Loop::Now();
  while (!due_.empty() && due_.top().when <= now) {
    const Due due = due_.top();
    due_.pop();
    if (due.stream == 0) {
      members_[due.member]->agent->Dial();
    } else if (due.stream == members_[due.member]->streams) {
      Report(due.member);
    }
  }
}

void Crowd::Report(size_t member) {
  Member& one = *members_[member];
  v1::AgentMessage message;
  *message.mutable_report() =
      ReportOf(*one.identity, kFlows + absl::Uniform<uint64_t>(random_, 0, 1000));
  one.agent->Send(std::move(message));
  const double jitter = absl::Uniform(random_, 1 - kJitter, 1 + kJitter);
  due_.push({Loop::Now() + one.interval * jitter, member, one.streams});
}

}  // namespace zcluster::fleet_bench
