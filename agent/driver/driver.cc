// SPDX-License-Identifier: Apache-2.0
#include "agent/driver/driver.h"

#include <utility>
#include <variant>

#include "absl/time/clock.h"
#include "common/log.h"

namespace zcluster::driver {
namespace {

// The brain wants time to pass for it at least this often; its shortest deadlines are a second.
constexpr absl::Duration kTick = absl::Milliseconds(100);

}  // namespace

Driver::Driver(Loop& loop, core::Brain& brain, std::vector<Adapter*> adapters)
    : loop_(loop), brain_(brain), adapters_(std::move(adapters)) {}

absl::Status Driver::Start() {
  for (Adapter* adapter : adapters_) {
    const absl::Status status = adapter->Start(*this);
    if (!status.ok()) {
      Stop();
      return status;
    }
    ++started_;
  }
  Report(core::Started{});
  ticks_ = loop_.Every(kTick, [this] { OnEvent(core::Ticked{absl::Now()}); });
  return absl::OkStatus();
}

void Driver::Stop() {
  *alive_ = false;
  ticks_.reset();
  while (started_ > 0) adapters_[--started_]->Stop();
}

void Driver::Report(core::Event event) {
  loop_.Post([this, alive = alive_, event = std::move(event)] {
    if (*alive) OnEvent(event);
  });
}

void Driver::OnEvent(const core::Event& event) {
  if (std::holds_alternative<core::Persisted>(event) && --unsynced_ == 0) ReleasePromises();
  for (const core::Action& action : brain_.Step(event, Loop::Now())) {
    if (std::holds_alternative<core::Persist>(action)) ++unsynced_;
    // A promise (a term told to the peer, a yes to an operator) must survive a crash, so it waits
    // for the disk. What only acts here, such as giving up the VIP, never waits for a disk.
    if (unsynced_ > 0 && core::IsPromise(action)) {
      promises_.push_back(action);
    } else {
      Order(action);
    }
  }
}

void Driver::Order(const core::Action& action) {
  if (const auto* decision = std::get_if<core::LogDecision>(&action)) {
    (decision->warning ? log::Warning : log::Info)(decision->event, decision->fields);
  }
  for (Adapter* adapter : adapters_) adapter->Perform(action);
}

void Driver::ReleasePromises() {
  for (const core::Action& promise : std::exchange(promises_, {})) Order(promise);
}

}  // namespace zcluster::driver
