// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/traffic/control.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmath>

namespace zcluster::traffic {

Control::Control(double seconds) {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGALRM}) sigaddset(&set, number);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) DieErrno("sigprocmask");
  signals_ = Fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals_.valid()) DieErrno("signalfd");
  if (seconds > 0) {
    itimerval once{};
    once.it_value.tv_sec = static_cast<time_t>(seconds);
    once.it_value.tv_usec = static_cast<suseconds_t>(std::fmod(seconds, 1.0) * 1e6);
    setitimer(ITIMER_REAL, &once, nullptr);
  }
}

Control::Orders Control::Take() {
  Orders orders;
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGUSR1) {
      orders.report = true;
    } else if (info.ssi_signo == SIGUSR2) {
      orders.mark = true;
    } else {
      orders.stop = true;
    }
  }
  return orders;
}

}  // namespace zcluster::traffic
