// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/path.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/facts/endpoint.h"
#include "common/check.h"
#include "common/file.h"
#include "common/loop.h"
#include "common/neighbour.h"

namespace zcluster::facts {
namespace {

constexpr unsigned long kUpByGateway = 0x3;  // RTF_UP, RTF_GATEWAY
constexpr size_t kMaxGateways = 8;
constexpr size_t kMaxRoutes = 1 << 20;  // some 8,000
constexpr absl::Duration kAgainAfter = absl::Milliseconds(60);
constexpr size_t kMaxAsked = 512;  // sockets at a time

// Whoever is asked, and how its answer is told from silence.
struct Asked {
  std::string name;
  UniqueFd connection = {};
  absl::optional<NeighbourQuestion> neighbour = {};  // absent: it is a connection

  int fd() const { return neighbour ? neighbour->fd() : connection.get(); }
};

absl::optional<Asked> AskGateway(const std::string& interface, const std::string& gateway) {
  absl::StatusOr<NeighbourQuestion> question = NeighbourQuestion::Ask(interface, gateway);
  if (!question.ok()) return {};
  return Asked{.name = absl::StrCat("the gateway ", gateway, " on ", interface),
               .neighbour = *std::move(question)};
}

absl::optional<Asked> AskBackend(const std::string& interface, const std::string& endpoint) {
  const absl::optional<Endpoint> to = ParseEndpoint(endpoint);
  if (!to) return {};
  Asked asked{.name = absl::StrCat("the backend ", endpoint, " on ", interface)};
  UniqueFd& fd = asked.connection;
  fd.Reset(::socket(to->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                          static_cast<socklen_t>(interface.size())) != 0) {
    return {};
  }
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to->address), to->length) != 0 &&
      errno != EINPROGRESS) {
    return {};
  }
  return asked;
}

// Is what made it ready an answer?
bool Answered(const Asked& asked) {
  if (asked.neighbour) return asked.neighbour->Answered();
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(asked.fd(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return false;
  return error == 0 || error == ECONNREFUSED;
}

// Who is to be asked.
struct Question {
  std::string interface;
  std::string whom;
  bool gateway = false;
};

// The kernel's routing tables, as text.
struct Routes {
  std::string v4, v6;
};

Routes ReadRoutes() {
  return {ReadFile("/proc/thread-self/net/route", kMaxRoutes).value_or(""),
          ReadFile("/proc/thread-self/net/ipv6_route", kMaxRoutes).value_or("")};
}

std::vector<Question> QuestionsOf(const PathTargets& targets, const Routes& routes) {
  std::vector<Question> all;
  for (const std::string& interface : targets.interfaces) {
    for (std::string& gateway : GatewaysIn(routes.v4, interface))
      all.push_back({interface, std::move(gateway), true});
    for (std::string& gateway : Gateways6In(routes.v6, interface))
      all.push_back({interface, std::move(gateway), true});
    for (const std::string& backend : targets.backends) all.push_back({interface, backend, false});
  }
  return all;
}

struct Heard {
  const Asked* first = nullptr;  // to answer; null: none within the patience
  bool stopped = false;
};

Heard FirstAnswer(std::vector<Asked>& all, absl::Duration patience, int stop) {
  const absl::Time end = Loop::Now() + patience;
  std::vector<pollfd> polled = {{stop, POLLIN, 0}};
  for (const Asked& asked : all) {
    polled.push_back({asked.fd(), static_cast<short>(asked.neighbour ? POLLIN : POLLOUT), 0});
  }
  for (;;) {
    const absl::Duration left = end - Loop::Now();
    if (left <= absl::ZeroDuration()) return {};
    const int timeout = static_cast<int>(absl::ToInt64Milliseconds(left)) + 1;
    if (::poll(polled.data(), polled.size(), timeout) < 0 && errno != EINTR) return {};
    if (polled[0].revents != 0) return {nullptr, true};
    for (size_t i = 0; i < all.size(); ++i) {
      if (polled[i + 1].revents == 0) continue;
      if (Answered(all[i])) return {&all[i], false};
      // A connection that failed says no more; negative: poll leaves it out.
      if (!all[i].neighbour) polled[i + 1].fd = -1;
    }
  }
}

}  // namespace

std::vector<std::string> GatewaysIn(const std::string& routes, const std::string& interface) {
  std::vector<std::string> gateways;
  for (absl::string_view line : absl::StrSplit(routes, '\n')) {
    // Iface Destination Gateway Flags ...; addresses are words of 32 bits in the machine's order.
    const std::vector<std::string> words = absl::StrSplit(line, '\t');
    if (words.size() < 4 || words[0] != interface || gateways.size() == kMaxGateways) continue;
    if ((std::strtoul(words[3].c_str(), nullptr, 16) & kUpByGateway) != kUpByGateway) continue;
    const in_addr address{static_cast<in_addr_t>(std::strtoul(words[2].c_str(), nullptr, 16))};
    char text[INET_ADDRSTRLEN];
    ::inet_ntop(AF_INET, &address, text, sizeof text);
    gateways.emplace_back(text);
  }
  return gateways;
}

std::vector<std::string> Gateways6In(const std::string& routes, const std::string& interface) {
  std::vector<std::string> gateways;
  for (absl::string_view line : absl::StrSplit(routes, '\n')) {
    // Destination, length, source, length, gateway, metric, two counters, flags, interface.
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() != 10 || words[9] != interface || gateways.size() == kMaxGateways) continue;
    if ((std::strtoul(words[8].c_str(), nullptr, 16) & kUpByGateway) != kUpByGateway) continue;
    if (words[4].size() != 32) continue;
    const std::string bytes = absl::HexStringToBytes(words[4]);
    char text[INET6_ADDRSTRLEN];
    ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
    // One gateway may have several routes.
    if (std::find(gateways.begin(), gateways.end(), text) == gateways.end())
      gateways.emplace_back(text);
  }
  return gateways;
}

PathOutcome ProbePath(const PathTargets& targets, absl::Duration patience, int stop) {
  const std::vector<Question> questions = QuestionsOf(targets, ReadRoutes());
  const std::string over = absl::StrJoin(targets.interfaces, ", ");
  if (questions.empty()) {
    return {false, absl::StrCat("neither a gateway on ", over, " nor a backend is known")};
  }
  const absl::Time end = Loop::Now() + patience;
  std::vector<Asked> all;
  for (absl::Time now = Loop::Now(); now < end; now = Loop::Now()) {
    // Whoever has not answered yet is asked again: a wire that loses some packets lives.
    for (const Question& question : questions) {
      absl::optional<Asked> asked = question.gateway
                                        ? AskGateway(question.interface, question.whom)
                                        : AskBackend(question.interface, question.whom);
      if (asked && all.size() < kMaxAsked) all.push_back(*std::move(asked));
    }
    const Heard heard = FirstAnswer(all, std::min(kAgainAfter, end - now), stop);
    if (heard.first != nullptr) return {true, absl::StrCat(heard.first->name, " answers")};
    if (heard.stopped) break;
  }
  return {false, absl::StrCat("no gateway and no backend answers on ", over)};
}

Path::Path(PathTargets targets)
    : targets_(std::move(targets)), stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Path::~Path() { Stop(); }

absl::Status Path::Start(EventSink& events) {
  if (!stop_) return absl::InternalError("cannot make an eventfd: too many open files?");
  events_ = &events;
  thread_ = std::thread([this] { Work(); });
  return absl::OkStatus();
}

void Path::Reconfigure(PathTargets targets) {
  absl::MutexLock lock(&mutex_);
  targets_ = std::move(targets);
}

void Path::Perform(const core::Action& action) {
  const auto* probe = std::get_if<core::ProbePath>(&action);
  if (probe == nullptr) return;
  absl::MutexLock lock(&mutex_);
  wanted_ = probe->nonce;
}

void Path::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  if (!thread_.joinable()) return;
  ZC_CHECK(::eventfd_write(stop_.get(), 1) == 0);
  thread_.join();
}

void Path::Work() {
  for (;;) {
    uint64_t nonce = 0;
    PathTargets targets;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](Path* self) ABSL_NO_THREAD_SAFETY_ANALYSIS {
            return self->stopped_ || self->wanted_.has_value();
          },
          this));
      if (stopped_) return;
      nonce = *std::exchange(wanted_, absl::nullopt);
      targets = targets_;
    }
    PathOutcome outcome = ProbePath(targets, kPatience, stop_.get());
    absl::MutexLock lock(&mutex_);
    if (stopped_) return;
    if (wanted_) continue;
    events_->Report(core::PathProbed{nonce, outcome.alive, std::move(outcome.evidence)});
  }
}

}  // namespace zcluster::facts
