// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "controller/store/store.h"
#include "tests/support/loop_thread.h"

namespace zcluster::controller::test {

// What is waited for is there within milliseconds, seconds on a busy machine.
inline constexpr absl::Duration kDeadline = absl::Seconds(60);

class Directory {
 public:
  Directory() { path_ = ::mkdtemp(path_.data()); }
  ~Directory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "zc-store-XXXXXX";
};

inline v1::Event EventOf(uint64_t number, const std::string& name = "promoted",
                         bool warning = false) {
  v1::Event event;
  event.set_number(number);
  event.set_name(name);
  event.set_warning(warning);
  return event;
}

// Events `first` to `last` of `agent`'s `journal`, which begins with 1.
inline Store::Batch BatchOf(const AgentId& agent, const std::string& journal, uint64_t first,
                            uint64_t last) {
  Store::Batch batch{agent, journal, {}, absl::FromUnixSeconds(1'700'000'000)};
  for (uint64_t number = first; number <= last; ++number) batch.events.push_back(EventOf(number));
  return batch;
}

inline AgentRecord AgentOf(const AgentId& id) {
  return {id, "key of " + id.Name(), absl::FromUnixSeconds(1'000), absl::FromUnixSeconds(2'000), "",
          0};
}

// A store with a loop of its own, whose calls wait for their answers.
class Stage {
 public:
  explicit Stage(const Store::Options& options) {
    loop_.Do([&] {
      auto opened = Store::Open(loop_.loop(), options);
      status_ = opened.status();
      if (opened.ok()) store_ = *std::move(opened);
    });
  }
  ~Stage() {
    loop_.Do([&] { store_.reset(); });
  }
  const absl::Status& status() const { return status_; }

  // On the loop.
  void Do(const std::function<void(Store&)>& task) {
    loop_.Do([&] { task(*store_); });
  }
  // On the loop: ends the store.
  void CloseHere() { store_.reset(); }
  // Returns when all that is posted has run.
  void Settle() {
    loop_.Do([] {});
  }

  absl::Status Write(std::vector<Change> changes) {
    return Wait<absl::Status>([&](auto done) { store_->Write(std::move(changes), done); });
  }
  absl::StatusOr<Store::Appended> Append(Store::Batch batch) {
    return Wait<absl::StatusOr<Store::Appended>>(
        [&](auto done) { store_->Append(std::move(batch), done); });
  }
  absl::StatusOr<std::vector<v1::FleetEvent>> Read(Store::Query query) {
    return Wait<absl::StatusOr<std::vector<v1::FleetEvent>>>(
        [&](auto done) { store_->Read(std::move(query), done); });
  }
  uint64_t events() {
    uint64_t count = 0;
    Do([&](Store& store) { count = store.events(); });
    return count;
  }
  uint64_t last_event() {
    uint64_t number = 0;
    Do([&](Store& store) { number = store.last_event(); });
    return number;
  }
  std::string problem() {
    std::string text;
    Do([&](Store& store) { text = store.problem(); });
    return text;
  }

 private:
  template <typename Answer>
  Answer Wait(const std::function<void(std::function<void(Answer)>)>& call) {
    struct Told {
      absl::Notification over;
      Answer answer = absl::DeadlineExceededError("no answer");
    };
    auto told = std::make_shared<Told>();
    loop_.Do([&] {
      call([told](Answer answer) {
        told->answer = std::move(answer);
        told->over.Notify();
      });
    });
    if (!told->over.WaitForNotificationWithTimeout(kDeadline)) {
      return absl::DeadlineExceededError("no answer");
    }
    return std::move(told->answer);
  }

  zcluster::test::LoopThread loop_;
  std::unique_ptr<Store> store_;
  absl::Status status_;
};

// Their places in their agents' journals.
inline std::vector<uint64_t> NumbersIn(const std::vector<v1::FleetEvent>& events) {
  std::vector<uint64_t> numbers;
  for (const v1::FleetEvent& event : events) numbers.push_back(event.event().number());
  return numbers;
}

// Their places in the fleet's history.
inline std::vector<uint64_t> PlacesOf(const std::vector<v1::FleetEvent>& events) {
  std::vector<uint64_t> numbers;
  for (const v1::FleetEvent& event : events) numbers.push_back(event.number());
  return numbers;
}

}  // namespace zcluster::controller::test
