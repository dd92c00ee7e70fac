// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <list>
#include <thread>
#include <utility>

#include "common/unique_fd.h"

namespace zcluster::peer {

// A TCP port on loopback that carries each connection to another one, until it is cut: then nothing
// passes any more, and nobody is told, as when a cable is pulled. Mended, new connections pass
// again; the old ones stay dead.
class Wire {
 public:
  explicit Wire(int to_port);
  ~Wire();

  int port() const { return port_; }
  void Cut() { cut_ = true; }
  void Mend() { cut_ = false; }

 private:
  void Carry();
  void Accept();

  const int to_port_;
  int port_ = 0;
  UniqueFd listener_;
  std::atomic<bool> cut_ = false;
  std::atomic<bool> stop_ = false;
  std::list<std::pair<UniqueFd, UniqueFd>> connections_;
  std::list<std::pair<UniqueFd, UniqueFd>> dead_;
  std::thread thread_;
};

}  // namespace zcluster::peer
