// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/backends.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/facts/endpoint.h"
#include "common/loop.h"
#include "common/unique_fd.h"

namespace zcluster::facts {
namespace {

constexpr char kReachable[] = "reachable";
constexpr int kFall = 2;

// A connection under way.
struct Attempt {
  UniqueFd fd;
  std::string outcome;  // empty: under way
};

Attempt Begin(const std::string& endpoint) {
  const absl::optional<Endpoint> to = ParseEndpoint(endpoint);
  if (!to) return {UniqueFd(), "not an address and a port"};
  UniqueFd fd(::socket(to->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return {UniqueFd(), strerror(errno)};
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to->address), to->length) == 0) {
    return {std::move(fd), kReachable};
  }
  const int error = errno;
  return {std::move(fd), error == EINPROGRESS ? "" : strerror(error)};
}

std::string OutcomeOf(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  return error == 0 ? kReachable : strerror(error);
}

// Until all have ended, the time is over or `stop` is readable; false: stopped.
bool Await(std::vector<Attempt>& attempts, int stop) {
  const absl::Time end = Loop::Now() + Backends::kPatience;
  for (;;) {
    std::vector<pollfd> polled = {{stop, POLLIN, 0}};
    std::vector<Attempt*> open;
    for (Attempt& attempt : attempts) {
      if (!attempt.outcome.empty()) continue;
      polled.push_back({attempt.fd.get(), POLLOUT, 0});
      open.push_back(&attempt);
    }
    const absl::Duration left = end - Loop::Now();
    if (open.empty() || left <= absl::ZeroDuration()) return true;
    const int timeout = static_cast<int>(absl::ToInt64Milliseconds(left)) + 1;
    if (::poll(polled.data(), polled.size(), timeout) < 0 && errno != EINTR) return true;
    if (polled[0].revents != 0) return false;
    for (size_t i = 0; i < open.size(); ++i) {
      if (polled[i + 1].revents != 0) open[i]->outcome = OutcomeOf(open[i]->fd.get());
    }
  }
}

}  // namespace

void Backends::Probe(const std::vector<std::string>& endpoints, int stop) {
  std::vector<Attempt> attempts;
  for (const std::string& endpoint : endpoints) attempts.push_back(Begin(endpoint));
  if (!Await(attempts, stop)) return;
  std::map<std::string, Verdict> verdicts;
  for (size_t i = 0; i < endpoints.size(); ++i) {
    Verdict& verdict = verdicts[endpoints[i]];
    verdict = std::exchange(verdicts_[endpoints[i]], {});
    const std::string& outcome = attempts[i].outcome;
    verdict.failures = outcome == kReachable ? 0 : std::min(verdict.failures + 1, kFall);
    if (verdict.failures == 0) verdict.value = kReachable;
    if (verdict.failures == kFall) verdict.value = outcome.empty() ? "no answer" : outcome;
  }
  verdicts_ = std::move(verdicts);
}

std::vector<core::Fact> Backends::Known(const std::vector<std::string>& endpoints,
                                        absl::string_view prefix) const {
  std::vector<core::Fact> facts;
  for (const std::string& endpoint : endpoints) {
    const auto found = verdicts_.find(endpoint);
    if (found == verdicts_.end() || found->second.value.empty()) continue;
    facts.push_back({absl::StrCat(prefix, endpoint), found->second.value});
  }
  return facts;
}

}  // namespace zcluster::facts
