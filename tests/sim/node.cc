// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/node.h"

#include <algorithm>
#include <utility>

#include "agent/core/boot_gate.h"

namespace zcluster::sim {

using core::VrrpState;

Node::Node(int index, World& world, MachineClock clock, core::Config config)
    : index_(index),
      world_(world),
      clock_(clock),
      config_(std::move(config)),
      disk_(world.clock, world.random),
      keepalived_(
          clock, world.random, files_, config_.advert_interval,
          {.send_advert = [this](const Advert& advert) { world_.send_advert(index_, advert); },
           .changed =
               [this](VrrpState state) {
                 world_.observer.OnVrrp(index_, state);
                 ReportVrrp(state);
               },
           .died = [this] { SuperviseKeepalived(); }}) {}

void Node::StartAgent() {
  if (!powered_ || agent_) return;
  ++life_;
  supervises_ = false;
  agent_ = std::make_unique<Agent>(
      clock_, disk_, config_,
      Agent::World{.perform = [this](const core::Action& action) { Perform(action); },
                   .hears = [this](const core::Event& event) { Hears(event); },
                   .wall = [this] { return wall(); }});
  world_.observer.OnStarted(index_);
  agent_->Start();
  world_.replication->AgentStarted(index_);
  LookAtFacts();
  LookAtChecks();
}

void Node::SetFacts(std::vector<core::Fact> facts, bool ill) {
  facts_ = std::move(facts);
  ill_since_ = ill ? world_.clock.now() : absl::InfiniteFuture();
  LookAtFacts();
}

void Node::LookAtFacts() {
  if (!agent_) return;
  if (ill_since_ != absl::InfiniteFuture()) ill_since_ = world_.clock.now();
  clock_.After(world_.random.Between(absl::Milliseconds(1), absl::Milliseconds(100)),
               [this, life = life_] {
                 if (life == life_) Deliver(core::FactsReported{facts_});
               });
}

void Node::SetChecks(std::vector<core::HealthCheck> checks) {
  checks_ = std::move(checks);
  LookAtChecks();
}

void Node::LookAtChecks() {
  if (!agent_) return;
  clock_.After(world_.random.Between(absl::Milliseconds(1), absl::Milliseconds(100)),
               [this, life = life_] {
                 if (life == life_) Deliver(core::HealthReported{checks_});
               });
}

void Node::SetWallClock(absl::Duration by) {
  wall_ahead_ += by;
  skipped_ += std::max(by, absl::ZeroDuration());
}

void Node::CrashAgent() {
  if (!agent_) return;
  agent_.reset();
  ++life_;
  disk_.Crash();
  world_.observer.OnDied(index_);
  world_.link->AgentDied(index_, /*power_cut=*/false);
  world_.replication->AgentDied(index_);
}

void Node::PowerOff() {
  if (!powered_) return;
  powered_ = false;
  const bool ran = agent_ != nullptr;
  agent_.reset();
  ++life_;
  disk_.PowerCut();
  keepalived_.PowerCut();
  world_.observer.OnVrrp(index_, VrrpState::kDown);
  if (!ran) return;
  world_.observer.OnDied(index_);
  world_.link->AgentDied(index_, /*power_cut=*/true);
  world_.replication->AgentDied(index_);
}

void Node::PowerOn() {
  if (std::exchange(powered_, true)) return;
  // A lease of another boot is over.
  if (files_.lease_ends != absl::InfiniteFuture()) files_.lease_ends = absl::InfinitePast();
}

void Node::CloseGate() {
  if (files_.fault && files_.lease_ends == absl::InfiniteFuture()) return;  // a maintenance
  files_ = {.fault = true,
            .lease_ends = clock_.now() + core::kBootGate,
            .gate = true,
            .priority = files_.priority};
}

absl::Duration Node::GateLeft() const {
  if (!files_.fault || !files_.gate) return absl::ZeroDuration();
  return std::max(files_.lease_ends - clock_.now(), absl::ZeroDuration());
}

void Node::StartKeepalivedAlone() {
  if (!powered_ || keepalived_.running()) return;
  CloseGate();
  keepalived_.Start();
  keepalived_.WatchLease();
}

void Node::Deliver(const core::Event& event) {
  if (agent_) agent_->Deliver(event);
}

void Node::Configure(const core::Config& config) {
  config_.failback = config.failback;
  config_.preferred = config.preferred;
  config_.advert_interval = config.advert_interval;
  config_.replicate_conntrack = config.replicate_conntrack;
  Deliver(core::Configured{config_});
}

void Node::Hears(const core::Event& event) {
  world_.observer.OnHeard(index_, event);
  const auto* configured = std::get_if<core::Configured>(&event);
  if (configured != nullptr && supervises_) keepalived_.Reload(configured->config.advert_interval);
}

void Node::ReportVrrp(VrrpState state) {
  if (!agent_ || !supervises_) return;
  // Up to some milliseconds through the FIFO; now and then twice, after a reload.
  const int times = world_.random.OneIn(20) ? 2 : 1;
  for (int i = 0; i < times; ++i) {
    const absl::Duration delay =
        world_.random.Between(absl::Microseconds(100), absl::Milliseconds(5));
    last_report_ = std::max(last_report_, clock_.now() + delay);
    clock_.At(last_report_, [this, state, life = life_] {
      if (life == life_) Deliver(core::VrrpReported{state, world_.random.Below(UINT64_MAX)});
    });
  }
}

void Node::SuperviseKeepalived() {
  if (!agent_ || !supervises_) return;
  clock_.After(world_.random.Between(absl::Milliseconds(5), absl::Milliseconds(500)),
               [this, life = life_] {
                 if (life != life_ || keepalived_.running()) return;
                 keepalived_.Start();
               });
}

void Node::Perform(const core::Action& action) {
  world_.observer.OnPerformed(index_, action);
  if (const auto* fault = std::get_if<core::SetFault>(&action)) {
    // An agent that starts goes on with a boot's gate.
    if (!supervises_ && fault->reason.empty() && GateLeft() > absl::ZeroDuration()) return;
    const bool lapsed = files_.fault == fault->reason.empty();
    files_.fault = !fault->reason.empty();
    files_.gate = fault->reason == core::kBootReason;
    files_.lease_ends = clock_.now() + fault->lease;
    if (lapsed) keepalived_.NoticeFiles();
    keepalived_.WatchLease();
  } else if (const auto* standing = std::get_if<core::SetStanding>(&action)) {
    files_.priority = static_cast<uint8_t>(standing->standing);
    keepalived_.NoticeFiles();
  } else if (std::holds_alternative<core::StartHeartbeat>(action)) {
    supervises_ = true;
    last_report_ = clock_.now();
    keepalived_.Reload(agent_->state().config.advert_interval);
    if (keepalived_.running()) {
      if (GateLeft() > absl::ZeroDuration()) Deliver(core::VrrpStarting{GateLeft()});
      ReportVrrp(keepalived_.state());
    } else {
      CloseGate();
      Deliver(core::VrrpStarting{});
      SuperviseKeepalived();
    }
  } else if (const auto* assume = std::get_if<core::AssumeRole>(&action)) {
    world_.replication->AssumeRole(index_, *assume);
  } else if (const auto* flush = std::get_if<core::Flush>(&action)) {
    world_.replication->Flush(index_, flush->operation, flush->replicator);
  } else if (const auto* tell = std::get_if<core::SendState>(&action)) {
    world_.link->Send(index_, tell->state);
  } else if (const auto* ask = std::get_if<core::AskPeer>(&action)) {
    world_.link->Send(index_, core::PeerAsked{ask->nonce});
  } else if (const auto* answer = std::get_if<core::AnswerPeer>(&action)) {
    world_.link->Send(index_, core::PeerAnswered{answer->nonce, answer->testimony});
  } else if (const auto* probe = std::get_if<core::ProbePath>(&action)) {
    ProbePath(probe->nonce);
  }
}

// Silence takes longer to be believed than an answer.
void Node::ProbePath(uint64_t nonce) {
  const bool alive = world_.network->path[static_cast<size_t>(index_)];
  const absl::Duration takes =
      alive ? world_.random.Between(absl::Microseconds(200), absl::Milliseconds(20))
            : absl::Milliseconds(300);
  clock_.After(takes, [this, nonce, alive, life = life_] {
    if (life == life_)
      Deliver(core::PathProbed{nonce, alive, alive ? "the gateway answers" : "no answer"});
  });
}

}  // namespace zcluster::sim
