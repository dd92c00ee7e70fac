// SPDX-License-Identifier: Apache-2.0
#include "ctl/terminal/interrupts.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "common/check.h"

namespace zcluster::ctl {
namespace {

// What the handler writes to. A handler can be given nothing else than a global.
std::atomic<int> target{-1};

void Tell(int signal) {
  const int error = errno;
  const auto byte = static_cast<unsigned char>(signal);
  // A full pipe has told enough.
  [[maybe_unused]] const ssize_t written = write(target.load(), &byte, 1);
  errno = error;
}

}  // namespace

Interrupts::Interrupts(std::initializer_list<int> signals) {
  int ends[2];
  ZC_CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  read_end_.Reset(ends[0]);
  write_end_.Reset(ends[1]);
  ZC_CHECK(target.exchange(ends[1]) == -1);
  struct sigaction tell {};
  tell.sa_handler = Tell;
  tell.sa_flags = SA_RESTART;
  for (const int signal : signals) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;  // nohup, or a shell's background job: so be it
    sigaction(signal, &tell, nullptr);
    before_.emplace_back(signal, before);
  }
}

Interrupts::~Interrupts() {
  for (const auto& [signal, before] : before_) sigaction(signal, &before, nullptr);
  target.store(-1);
}

int Interrupts::Take() {
  unsigned char signal = 0;
  return read(read_end_.get(), &signal, 1) == 1 ? signal : 0;
}

}  // namespace zcluster::ctl
