// SPDX-License-Identifier: Apache-2.0
#include "agent/health/interfaces.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::health {
namespace {

// Most read before the loop gets to do something else; what is left wakes us again.
constexpr int kMessagesAtOnce = 256;

std::string Evidence(InterfaceState state) {
  switch (state) {
    case InterfaceState::kMissing:
      return "there is no such interface";
    case InterfaceState::kDown:
      return "is down";
    case InterfaceState::kNoCarrier:
      return "has no carrier";
    case InterfaceState::kRuns:
      return "is up and has a carrier";
  }
  return "";
}

}  // namespace

Interfaces::Interfaces(Loop& loop, std::function<void()> changed)
    : loop_(loop), changed_(std::move(changed)) {}

absl::Status Interfaces::Start() {
  socket_.Reset(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (!socket_ ||
      ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return ErrnoStatus("rtnetlink");
  }
  watch_ = loop_.WatchReadable(socket_.get(), [this] { OnMessages(); });
  Look();
  return absl::OkStatus();
}

void Interfaces::Track(const std::vector<std::string>& names) {
  states_.clear();
  for (const std::string& name : names) states_.emplace_back(name, InterfaceState::kMissing);
  Look();
}

void Interfaces::OnMessages() {
  // What they say does not matter, nor whether some were lost (ENOBUFS).
  char buffer[8192];
  for (int i = 0; i < kMessagesAtOnce; ++i) {
    if (::recv(socket_.get(), buffer, sizeof buffer, 0) < 0 && errno != ENOBUFS) break;
  }
  if (Look()) changed_();
}

bool Interfaces::Look() {
  bool changed = false;
  for (auto& [name, state] : states_) {
    const InterfaceState now = StateOfInterface(name);
    changed |= now != state;
    state = now;
  }
  return changed;
}

std::vector<core::HealthCheck> Interfaces::Results() const {
  std::vector<core::HealthCheck> results;
  for (const auto& [name, state] : states_) {
    results.push_back({absl::StrCat("interface ", name), state == InterfaceState::kRuns,
                       Evidence(state), kInterfaceSettles});
  }
  return results;
}

}  // namespace zcluster::health
