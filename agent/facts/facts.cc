// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/facts.h"

#include <sys/eventfd.h>

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/core/facts.h"
#include "common/check.h"
#include "common/identity.h"
#include "common/kept_files.h"

namespace zcluster::facts {
namespace {

namespace fact = core::fact;

void AddText(std::vector<core::Fact>& facts, absl::string_view name, std::string value) {
  facts.push_back({std::string(name), std::move(value)});
}

template <typename Number>
void Add(std::vector<core::Fact>& facts, absl::string_view name,
         const std::optional<Number>& value) {
  if (value) AddText(facts, name, absl::StrCat(*value));
}

// All but heartbeat and backends.
std::vector<core::Fact> Collect(const Options& options) {
  std::vector<core::Fact> facts;
  AddText(facts, fact::kVersion, options.version);
  AddText(facts, fact::kGeneration, absl::StrCat(options.generation));
  for (core::Fact& sysctl : Sysctls()) facts.push_back(std::move(sysctl));
  for (core::Fact& module : Modules()) facts.push_back(std::move(module));
  for (core::Fact& network : Networks(options.vips)) facts.push_back(std::move(network));
  const ConntrackTable table = ReadConntrackTable();
  Add(facts, fact::kTableMaximum, table.maximum);
  Add(facts, fact::kTableFill, table.fill_percent);
  Add(facts, fact::kDiskFree, DiskFree(options.state_dir));
  if (const absl::StatusOr<absl::Time> ends = identity::ExpiryOf(options.certificate); ends.ok()) {
    AddText(facts, fact::kCertificate, absl::StrCat(absl::ToUnixSeconds(*ends)));
  }
  Add(facts, fact::kLocal, LocalConnections(options.vips));
  if (const auto kept = kept::List(options.kept_dir); kept.ok() && !kept->empty())
    AddText(facts, fact::kKept, absl::StrCat(kept->size()));
  return facts;
}

}  // namespace

Facts::Facts(Options options)
    : options_(std::move(options)), stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Facts::~Facts() { Stop(); }

absl::Status Facts::Start(EventSink& events) {
  if (!stop_) return absl::InternalError("cannot make an eventfd: too many open files?");
  events_ = &events;
  thread_ = std::thread([this] { Look(); });
  return absl::OkStatus();
}

void Facts::Reconfigure(Options options) {
  absl::MutexLock lock(&mutex_);
  options_ = std::move(options);
  again_ = true;
}

void Facts::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  if (!thread_.joinable()) return;
  ZC_CHECK(::eventfd_write(stop_.get(), 1) == 0);
  thread_.join();
}

Options Facts::Newest() {
  absl::MutexLock lock(&mutex_);
  again_ = false;
  return options_;
}

bool Facts::Wait(absl::Duration interval) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(
                              +[](Facts* self) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                                return self->stopped_ || self->again_;
                              },
                              this),
                          interval);
  return !stopped_;
}

void Facts::Look() {
  absl::Duration interval;
  do {
    const Options options = Newest();
    interval = options.interval;
    std::vector<core::Fact> facts = Collect(options);
    // The peer's interval may be longer by what its backends take, and a packet may be lost.
    hearing_.Aim({options.address, options.peer_address, options.multicast}, 3 * interval);
    if (std::optional<core::Fact> heard = hearing_.Look(Hearing::Clock::now())) {
      facts.push_back(*std::move(heard));
    }
    strangers_.Aim({options.interface, options.router_id, options.address, options.peer_address});
    if (std::optional<core::Fact> heard = strangers_.Look(Strangers::Clock::now())) {
      facts.push_back(*std::move(heard));
    }
    for (core::Fact& each : admission_.Look(options.must_pass, stop_.get(), options.nft)) {
      facts.push_back(std::move(each));
    }
    // A change of the kernel's or of the configuration does not wait for backends.
    Report(WithReach(facts, options));
    if (!options.backends.empty()) backends_.Probe(options.backends, stop_.get());
    // Of one address alone the link itself tells.
    if (options.peer_links.size() > 1) links_.Probe(options.peer_links, stop_.get());
    Report(WithReach(std::move(facts), options));
  } while (Wait(interval));
}

std::vector<core::Fact> Facts::WithReach(std::vector<core::Fact> facts,
                                         const Options& options) const {
  for (core::Fact& each : backends_.Known(options.backends, fact::kBackend))
    facts.push_back(std::move(each));
  for (core::Fact& each : links_.Known(options.peer_links, fact::kPeerLink))
    facts.push_back(std::move(each));
  return facts;
}

void Facts::Report(std::vector<core::Fact> facts) {
  if (facts == told_) return;
  {
    absl::MutexLock lock(&mutex_);
    if (stopped_) return;
  }
  told_ = facts;
  events_->Report(core::FactsReported{std::move(facts)});
}

}  // namespace zcluster::facts
