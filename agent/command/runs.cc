// SPDX-License-Identifier: Apache-2.0
// Tested by command_test.cc: what it does shows only between two nodes.
#include "agent/command/runs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/command/peer_calls.h"
#include "agent/wire/wire.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::command {
namespace {

// What a call to the peer may take beyond the command's own timeout: its grace, and the wire.
constexpr absl::Duration kPeerSlack = absl::Seconds(5);
// Deadline of a call that is passed on, if the command is one that this node does not know.
constexpr absl::Duration kUnknownCommand = absl::Seconds(30);

v1::RunEvent ResultEvent(const std::string& node, const ProcessEnd& outcome) {
  v1::RunEvent event;
  event.set_node(node);
  v1::RunResult& result = *event.mutable_result();
  result.set_exit_code(outcome.exit_code);
  *result.mutable_took() = wire::ToProto(outcome.took);
  result.set_problem(outcome.problem);
  return event;
}

v1::RunEvent ProblemEvent(const std::string& node, std::string problem) {
  return ResultEvent(node, ProcessEnd{0, absl::ZeroDuration(), std::move(problem)});
}

// Values are left out: they may be secrets.
void LogEnd(const std::string& name, const ProcessEnd& outcome) {
  if (outcome.problem.empty()) {
    log::Info("command_ran", {{"name", name},
                              {"exit_code", absl::StrCat(outcome.exit_code)},
                              {"took", absl::FormatDuration(outcome.took)}});
  } else {
    log::Warning("command_failed", {{"name", name}, {"problem", outcome.problem}});
  }
}

}  // namespace

struct Runs::Active {
  v1::RunRequest request;
  std::vector<std::string> argv;
  absl::Duration timeout;
  core::Term term;
  Listener listener;
  std::unique_ptr<Process> process;
  bool peer_has_result = false;
};

Runs::Runs(Loop& loop, Catalogue catalogue, std::string node, std::string peer_name,
           PeerCalls& peer)
    : loop_(loop),
      catalogue_(std::move(catalogue)),
      node_(std::move(node)),
      peer_name_(std::move(peer_name)),
      peer_(peer) {}

Runs::~Runs() = default;

void Runs::AssumeRole(core::Role role, core::Term term) {
  role_ = role;
  term_ = std::max(term_, term);
}

void Runs::Run(const v1::RunRequest& request, Listener listener) {
  if (role_ == core::Role::kMaster) {
    RunHere(request, std::move(listener), /*of_peer=*/false);
  } else {
    PassOn(request, std::move(listener));
  }
}

void Runs::RunHere(const v1::RunRequest& request, Listener listener, bool of_peer) {
  if (role_ != core::Role::kMaster) {
    listener.on_done(absl::FailedPreconditionError(
        absl::StrCat("no node of the pair is known to be master: ", node_, " is not")));
    return;
  }
  if (holding_) {
    if (held_.size() < kMaxAtOnce) return held_.push_back({request, std::move(listener), of_peer});
    return listener.on_done(absl::ResourceExhaustedError(
        absl::StrCat(held_.size(), " commands wait already until ", node_,
                     " has handed over; try again in a moment")));
  }
  auto run = Begin(request, listener);
  if (!run.ok()) {
    listener.on_done(run.status());
    return;
  }
  Execute(*run, [this, run = *run](bool started) {
    if (started) {
      ContinueOnPeer(run);
      return;
    }
    // The nodes would differ if the peer did what the master could not even begin.
    run->listener.on_event(
        ProblemEvent(peer_name_, absl::StrCat("not run, because it did not start on ", node_)));
    End(run, absl::OkStatus());
  });
}

void Runs::Replicate(const v1::ReplicateRequest& request, Listener listener) {
  const core::Term term{request.term()};
  absl::Status refused;
  if (term < term_) {
    refused = absl::FailedPreconditionError(
        absl::StrCat("term ", term.value, " is over: ", node_, " has seen term ", term_.value));
  } else if (role_ == core::Role::kMaster) {
    refused = absl::FailedPreconditionError(absl::StrCat(node_, " is master itself"));
  }
  auto run = refused.ok() ? Begin(request.run(), listener) : refused;
  if (!run.ok()) {
    listener.on_done(run.status());
    return;
  }
  term_ = term;
  Execute(*run, [this, run = *run](bool) { End(run, absl::OkStatus()); });
}

absl::StatusOr<std::shared_ptr<Runs::Active>> Runs::Begin(const v1::RunRequest& request,
                                                          Listener listener) {
  if (stopped_) return absl::UnavailableError(absl::StrCat("the agent on ", node_, " stops"));
  const Values values(request.arguments().begin(), request.arguments().end());
  ZC_ASSIGN_OR_RETURN(std::vector<std::string> argv, catalogue_.Resolve(request.name(), values));
  if (active_.size() >= kMaxAtOnce) {
    return absl::ResourceExhaustedError(absl::StrCat(node_, " already runs ", active_.size(),
                                                     " commands; try again when one has ended"));
  }
  auto run = std::make_shared<Active>();
  run->request = request;
  run->argv = std::move(argv);
  run->timeout = catalogue_.Find(request.name())->timeout;
  run->term = term_;
  run->listener = std::move(listener);
  active_.insert(run);
  return run;
}

void Runs::Execute(const std::shared_ptr<Active>& run, std::function<void(bool)> then) {
  // The process belongs to the run, so the callbacks hold the run weakly: no circle.
  std::weak_ptr<Active> weak = run;
  auto process = Process::Start(
      loop_, run->argv, {.timeout = run->timeout},
      [this, weak](Process::Output from, absl::string_view bytes) {
        v1::RunEvent event;
        event.set_node(node_);
        std::string& text = from == Process::Output::kStandardOutput
                                ? *event.mutable_standard_output()
                                : *event.mutable_standard_error();
        text.assign(bytes.data(), bytes.size());
        if (auto active = weak.lock()) active->listener.on_event(std::move(event));
      },
      [this, weak, then](const ProcessEnd& outcome) {
        auto active = weak.lock();
        if (active == nullptr) return;
        active->process.reset();
        LogEnd(active->request.name(), outcome);
        active->listener.on_event(ResultEvent(node_, outcome));
        then(true);
      });
  if (process.ok()) {
    run->process = *std::move(process);
    return;
  }
  const ProcessEnd outcome{0, absl::ZeroDuration(), std::string(process.status().message())};
  LogEnd(run->request.name(), outcome);
  run->listener.on_event(ResultEvent(node_, outcome));
  then(false);
}

void Runs::ContinueOnPeer(const std::shared_ptr<Active>& run) {
  v1::ReplicateRequest request;
  *request.mutable_run() = run->request;
  request.set_term(run->term.value);
  auto self = weak_from_this();
  peer_.Replicate(
      request, run->timeout + kPeerSlack,
      [self, run](v1::RunEvent event) {
        auto runs = self.lock();
        if (runs == nullptr || runs->stopped_) return;
        event.set_node(runs->peer_name_);  // as we know it, whatever it calls itself
        if (event.has_result()) run->peer_has_result = true;
        run->listener.on_event(std::move(event));
      },
      [self, run](const absl::Status& status) {
        auto runs = self.lock();
        if (runs != nullptr && !runs->stopped_) runs->EndOnPeer(run, status);
      });
}

void Runs::EndOnPeer(const std::shared_ptr<Active>& run, const absl::Status& status) {
  if (!run->peer_has_result) {
    std::string problem;
    if (status.ok()) {
      problem = absl::StrCat(peer_name_, " did not say how it ended");
    } else if (absl::IsUnavailable(status)) {
      problem = absl::StrCat(peer_name_, " unreachable: ", status.message());
    } else {
      problem = absl::StrCat(peer_name_, " refused: ", status.message());
    }
    log::Warning("command_not_replicated",
                 {{"name", run->request.name()}, {"peer", peer_name_}, {"problem", problem}});
    run->listener.on_event(ProblemEvent(peer_name_, std::move(problem)));
  }
  End(run, absl::OkStatus());
}

void Runs::End(const std::shared_ptr<Active>& run, const absl::Status& status) {
  if (active_.erase(run) == 0) return;
  run->listener.on_done(status);
  if (active_.empty() && all_ended_) std::exchange(all_ended_, nullptr)();
}

void Runs::Hold(std::function<void()> ended) {
  holding_ = true;
  if (active_.empty()) return ended();
  all_ended_ = std::move(ended);
}

void Runs::Release() {
  holding_ = false;
  all_ended_ = nullptr;
  for (Held& held : std::exchange(held_, {})) {
    if (held.of_peer) {
      RunHere(held.request, std::move(held.listener), held.of_peer);
    } else {
      Run(held.request, std::move(held.listener));
    }
  }
}

void Runs::PassOn(const v1::RunRequest& request, Listener listener) {
  if (stopped_ || passed_on_ >= kMaxAtOnce) {
    listener.on_done(absl::ResourceExhaustedError(absl::StrCat(
        node_, " already passes ", passed_on_, " commands on; try again when one has ended")));
    return;
  }
  const CommandSpec* command = catalogue_.Find(request.name());
  const absl::Duration deadline =
      2 * ((command == nullptr ? kUnknownCommand : command->timeout) + kPeerSlack);
  ++passed_on_;
  auto self = weak_from_this();
  peer_.Run(request, deadline, listener.on_event, [self, request, listener](absl::Status status) {
    auto runs = self.lock();
    if (runs == nullptr) return;
    --runs->passed_on_;
    // The peer held it while it handed over to us.
    if (absl::IsFailedPrecondition(status) && runs->role_ == core::Role::kMaster) {
      return runs->RunHere(request, listener, /*of_peer=*/false);
    }
    if (absl::IsUnavailable(status)) {
      status = Annotate(status, absl::StrCat(runs->node_, " is not master, and ", runs->peer_name_,
                                             " is unreachable"));
    }
    listener.on_done(status);
  });
}

void Runs::Stop() {
  stopped_ = true;
  all_ended_ = nullptr;
  for (const Held& held : std::exchange(held_, {})) {
    held.listener.on_done(
        absl::UnavailableError(absl::StrCat("the agent on ", node_, " stopped; nothing was run")));
  }
  auto active = std::exchange(active_, {});
  for (const auto& run : active) {
    run->process.reset();
    run->listener.on_done(absl::UnavailableError(
        absl::StrCat("the agent on ", node_, " stopped while the command ran; outcome unknown")));
  }
}

}  // namespace zcluster::command
