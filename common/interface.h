// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace zcluster {

// A network interface as its machine sees it.
enum class InterfaceState {
  kMissing,
  kDown,       // an administrator wants it so
  kNoCarrier,  // up, but nothing passes: no carrier, or what it stands on is down
  kRuns,
};

// In the calling thread's network namespace; one short question to the kernel.
InterfaceState StateOfInterface(const std::string& name);

// Up, and with a carrier: what keepalived, too, asks of an interface before it leaves FAULT.
inline bool InterfaceRuns(const std::string& name) {
  return StateOfInterface(name) == InterfaceState::kRuns;
}

}  // namespace zcluster
