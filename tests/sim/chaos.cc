// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/chaos.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/core/facts.h"
#include "agent/core/names.h"

namespace zcluster::sim {

using absl::Milliseconds;
using absl::Seconds;

namespace {

// What a machine tells of itself.
struct Subject {
  absl::string_view name, good, bad;
  bool ill;  // with the bad one no pair is ready, whichever node has it
};
constexpr std::array<Subject, 6> kSubjects = {
    {{core::fact::kVersion, "0.1.0", "0.2.0", false},
     {"backend 10.0.0.1:80", "reachable", "Connection refused", false},
     {"sysctl net.ipv4.ip_forward", "1", "0", false},
     {core::fact::kHeartbeat, "heard", "silent", true},
     {core::fact::kTableFill, "3", "99", true},
     {core::fact::kDiskFree, "1024", "4", true}}};

// With that subject's bad value.
std::vector<core::Fact> Facts(size_t bad = kSubjects.size()) {
  std::vector<core::Fact> facts;
  for (size_t i = 0; i < kSubjects.size(); ++i) {
    const Subject& subject = kSubjects[i];
    facts.push_back(
        {std::string(subject.name), std::string(i == bad ? subject.bad : subject.good)});
  }
  return facts;
}

}  // namespace

Chaos::Chaos(Pair& pair, uint64_t seed, Observer& observer, const Without& without)
    : pair_(pair),
      seed_(seed),
      random_(seed),
      observer_(observer),
      without_(without),
      wanted_(pair.node(0).config()) {}

void Chaos::Begin() {
  active_ = true;
  if (random_.OneIn(4)) LeaveFiles();
  for (int node : {0, 1}) {
    pair_.node(node).SetFacts(Facts(), false);
    pair_.clock().After(random_.Between(Milliseconds(0), Seconds(1)),
                        [this, node] { pair_.node(node).StartAgent(); });
  }
  pair_.clock().After(random_.Between(Seconds(2), Seconds(8)), [this] { Next(); });
}

void Chaos::Next() {
  if (!active_) return;
  ++picks_;
  random_ = Random(seed_ ^ (picks_ * 0xd1342543de82ef95));
  pair_.clock().After(random_.Between(Milliseconds(50), Seconds(6)), [this] { Next(); });
  if (without_.count(picks_) == 0) BreakSomething();
}

void Chaos::BreakSomething() {
  constexpr uint64_t kFaultWeight = 103;
  constexpr uint64_t kAskWeight = 62;
  constexpr uint64_t kReconfigureWeight = 12;
  struct Choice {
    uint64_t weight;
    void (Chaos::*act)();
  };
  static constexpr std::array<Choice, 19> kChoices = {{{8, &Chaos::CutVrrp},
                                                       {8, &Chaos::CutLink},
                                                       {6, &Chaos::CutAll},
                                                       {5, &Chaos::DarkenPort},
                                                       {4, &Chaos::LoseAdverts},
                                                       {10, &Chaos::CrashAgent},
                                                       {5, &Chaos::HangAgent},
                                                       {10, &Chaos::PowerCut},
                                                       {10, &Chaos::KillKeepalived},
                                                       {5, &Chaos::StallDisk},
                                                       {3, &Chaos::ReportProblem},
                                                       {3, &Chaos::PowerCutOfBoth},
                                                       {4, &Chaos::ChangeMachine},
                                                       {4, &Chaos::SetWallClock},
                                                       {6, &Chaos::FailFront},
                                                       {7, &Chaos::CrashInSwitchover},
                                                       {5, &Chaos::HangKeepalived},
                                                       {kAskWeight, &Chaos::Ask},
                                                       {kReconfigureWeight, &Chaos::Reconfigure}}};
  // Every other time it is a fault for sure: a history of nothing but questions would test little.
  constexpr uint64_t kAll = kFaultWeight + kAskWeight + kReconfigureWeight;
  uint64_t at = random_.Below(picks_ % 2 == 0 ? kFaultWeight : kAll);
  for (const Choice& choice : kChoices) {
    if (at < choice.weight) return (this->*choice.act)();
    at -= choice.weight;
  }
}

void Chaos::Later(absl::Duration least, absl::Duration most, std::function<void()> undo) {
  pair_.clock().After(random_.Between(least, most), [this, undo = std::move(undo)] {
    if (active_) undo();
  });
}

void Chaos::CutVrrp() {
  ++faults_;
  const uint64_t which = random_.Below(3);
  observer_.OnFault(which < 2 ? absl::StrCat("adverts of node", which + 1, " are cut")
                              : "adverts are cut both ways");
  if (which != 1) pair_.network().vrrp[0] = false;
  if (which != 0) pair_.network().vrrp[1] = false;
  Later(Milliseconds(100), Seconds(25), [this] {
    pair_.network().vrrp = {true, true};
    observer_.OnFault("adverts flow again");
  });
}

void Chaos::CutLink() {
  ++faults_;
  const uint64_t which = random_.Below(3);
  observer_.OnFault(which < 2 ? absl::StrCat("the link from node", which + 1, " is cut")
                              : "the link is cut both ways");
  if (which != 1) pair_.network().link[0] = false;
  if (which != 0) pair_.network().link[1] = false;
  Later(Milliseconds(100), Seconds(12), [this] {
    pair_.network().link = {true, true};
    pair_.link().WireRepaired();
    observer_.OnFault("the link's wire is whole again");
  });
}

void Chaos::CutAll() {
  ++faults_;
  observer_.OnFault("the nodes are cut off from each other");
  pair_.network().vrrp = {false, false};
  pair_.network().link = {false, false};
  Later(Milliseconds(100), Seconds(12), [this] {
    pair_.network().Heal();
    pair_.link().WireRepaired();
    observer_.OnFault("the wires are whole again");
  });
}

// The port to the service network, which VRRP uses; the link has a wire of its own, or goes too.
void Chaos::DarkenPort() {
  ++faults_;
  const int node = AnyNode();
  Network& network = pair_.network();
  observer_.OnFault(absl::StrCat("the service port of node", node + 1, " is dark"));
  network.vrrp = {false, false};
  network.path[static_cast<size_t>(node)] = false;
  if (network.link_on_vrrp_network) network.link = {false, false};
  Later(Milliseconds(100), Seconds(12), [this] {
    pair_.network().Heal();
    pair_.link().WireRepaired();
    observer_.OnFault("no port is dark any more");
  });
}

void Chaos::LoseAdverts() {
  ++faults_;
  pair_.network().vrrp_loss_percent = static_cast<unsigned>(random_.Below(80));
  observer_.OnFault(absl::StrCat(pair_.network().vrrp_loss_percent, " % of the adverts are lost"));
  Later(Seconds(1), Seconds(15), [this] {
    pair_.network().vrrp_loss_percent = 0;
    observer_.OnFault("no advert is lost any more");
  });
}

void Chaos::CrashAgent() {
  ++faults_;
  const int node = AnyNode();
  observer_.OnFault(absl::StrCat("the agent of node", node + 1, " is killed"));
  pair_.node(node).CrashAgent();
  Later(Milliseconds(50), Seconds(8), [this, node] { pair_.node(node).StartAgent(); });
}

// An operator asks for a switchover, and either agent dies at one of its steps.
void Chaos::CrashInSwitchover() {
  ++faults_;
  for (int i : {0, 1}) {
    if (pair_.node(i).keepalived().state() == core::VrrpState::kMaster)
      AskFor(i, core::OperationKind::kSwitchover, /*force=*/random_.OneIn(8));
  }
  const int node = AnyNode();
  Later(Milliseconds(0), random_.OneIn(2) ? Milliseconds(60) : Seconds(1), [this, node] {
    const Agent* agent = pair_.node(node).agent();
    if (agent == nullptr) return;
    const Agent* other = pair_.node(1 - node).agent();
    const auto phase = [](const Agent* of) {
      return of != nullptr && of->state().operation ? core::Name(of->state().operation->phase)
                                                    : absl::string_view();
    };
    const absl::string_view own = phase(agent);
    const absl::string_view peers = phase(other);
    observer_.OnFault(absl::StrCat("the agent of node", node + 1, " is killed",
                                   !own.empty()     ? absl::StrCat(" while ", own)
                                   : !peers.empty() ? absl::StrCat(" while its peer is ", peers)
                                                    : ""));
    pair_.node(node).CrashAgent();
    Later(Milliseconds(50), Seconds(8), [this, node] { pair_.node(node).StartAgent(); });
  });
}

void Chaos::HangKeepalived() {
  ++faults_;
  const int node = AnyNode();
  observer_.OnFault(absl::StrCat("keepalived of node", node + 1, " hangs"));
  pair_.node(node).HangKeepalived();
  Later(Milliseconds(100), Seconds(8), [this, node] {
    observer_.OnFault(absl::StrCat("keepalived of node", node + 1, " goes on"));
    pair_.node(node).WakeKeepalived();
  });
}

// Of earlier lives of the two machines: whatever they tell, the pair must find itself.
void Chaos::LeaveFiles() {
  observer_.OnFault("both machines hold what earlier lives left");
  const core::Term highest{random_.Below(4)};
  for (int node : {0, 1}) {
    TrackedFiles files;
    files.fault = random_.OneIn(2);
    files.lease_ends = pair_.clock().now() + random_.Between(Seconds(0), Seconds(30));
    files.priority = static_cast<uint8_t>(252 + random_.Below(3));
    core::Durable durable;
    durable.highest_term = highest;
    durable.own_term = core::Term{random_.Below(highest.value + 1)};
    pair_.node(node).LeaveBehind(files, durable);
  }
}

void Chaos::HangAgent() {
  ++faults_;
  const int node = AnyNode();
  observer_.OnFault(absl::StrCat("the agent of node", node + 1, " hangs"));
  pair_.node(node).HangAgent(random_.Between(Milliseconds(100), Seconds(5)));
}

void Chaos::PowerCut() { FailPower(AnyNode()); }

void Chaos::PowerCutOfBoth() {
  FailPower(0);
  FailPower(1);
}

void Chaos::FailPower(int node) {
  ++faults_;
  observer_.OnFault(absl::StrCat("the power of node", node + 1, " fails"));
  pair_.node(node).PowerOff();
  Later(Milliseconds(500), Seconds(15), [this, node] {
    observer_.OnFault(absl::StrCat("node", node + 1, " boots"));
    pair_.node(node).PowerOn();
    if (random_.OneIn(2)) pair_.node(node).StartKeepalivedAlone();
    Later(Milliseconds(100), Seconds(2), [this, node] { pair_.node(node).StartAgent(); });
  });
}

void Chaos::KillKeepalived() {
  ++faults_;
  Node& node = pair_.node(AnyNode());
  const uint64_t what = random_.Below(3);
  const std::array<std::string, 3> parts = {"child", "parent", "child and parent"};
  observer_.OnFault(
      absl::StrCat("keepalived (", parts[what], ") of ", node.config().node_name, " is killed"));
  if (what == 0) node.KillChild();
  if (what == 1) node.KillParent();
  if (what == 2) node.KillBoth();
}

void Chaos::StallDisk() {
  ++faults_;
  const int node = AnyNode();
  observer_.OnFault(absl::StrCat("the disk of node", node + 1, " stalls"));
  pair_.node(node).StallDisk(random_.Between(Milliseconds(100), Seconds(5)));
}

void Chaos::ReportProblem() {
  ++faults_;
  const int node = AnyNode();
  observer_.OnFault(absl::StrCat("a part of node", node + 1, " is ill"));
  pair_.node(node).Deliver(core::ComponentReported{"interface front", "carrier is lost"});
  Later(Seconds(1), Seconds(10), [this, node] {
    pair_.node(node).Deliver(core::ComponentReported{"interface front", ""});
  });
}

// One of what the machines' facts tell is no longer as on the other node, or no longer well.
void Chaos::ChangeMachine() {
  ++faults_;
  const int node = AnyNode();
  const size_t which = random_.Below(kSubjects.size());
  observer_.OnFault(
      absl::StrCat("node", node + 1, ": ", kSubjects[which].name, " is ", kSubjects[which].bad));
  pair_.node(node).SetFacts(Facts(which), kSubjects[which].ill);
  Later(Seconds(1), Seconds(20), [this, node] { pair_.node(node).SetFacts(Facts(), false); });
}

void Chaos::SetFront(int node, bool well) {
  core::HealthCheck front{"interface front", well, well ? "up" : "no carrier", Milliseconds(300)};
  pair_.node(node).SetChecks({std::move(front)});
}

// What VRRP does not see: a port of one node, or the switch of both.
void Chaos::FailFront() {
  ++faults_;
  const uint64_t which = random_.Below(5);
  const std::vector<int> nodes = which == 0   ? std::vector<int>{0, 1}
                                 : which <= 2 ? std::vector<int>{0}
                                              : std::vector<int>{1};
  for (int node : nodes) {
    observer_.OnFault(absl::StrCat("the front of node", node + 1, " is dead"));
    SetFront(node, false);
  }
  Later(Milliseconds(100), Seconds(20), [this, nodes] {
    for (int node : nodes) SetFront(node, true);
    observer_.OnFault("the front is well again");
  });
}

void Chaos::SetWallClock() {
  ++faults_;
  const int node = AnyNode();
  const absl::Duration by =
      random_.Between(absl::Minutes(2), absl::Hours(3)) * (random_.OneIn(2) ? 1 : -1);
  observer_.OnFault(
      absl::StrCat("the clock of node", node + 1, " is set by ", absl::FormatDuration(by)));
  pair_.node(node).SetWallClock(by);
}

void Chaos::Ask() {
  int node = AnyNode();
  const uint64_t which = random_.Below(12);
  const core::OperationKind kind = which < 4    ? core::OperationKind::kSwitchover
                                   : which < 7  ? core::OperationKind::kEnterMaintenance
                                   : which < 10 ? core::OperationKind::kStartMaintenance
                                   : which < 11 ? core::OperationKind::kFreeze
                                                : core::OperationKind::kUnfreeze;
  // The API passes a switchover on to the master; now and then it is wrong about who that is.
  if (kind == core::OperationKind::kSwitchover && !random_.OneIn(8)) {
    for (int i : {0, 1}) {
      if (pair_.node(i).keepalived().state() == core::VrrpState::kMaster) node = i;
    }
  }
  const bool ends = kind == core::OperationKind::kEnterMaintenance && random_.OneIn(2);
  AskFor(node, kind, random_.OneIn(5),
         ends ? random_.Between(Seconds(1), Seconds(20)) : absl::InfiniteDuration());
}

// Both nodes take it, one after the other, as far apart as a link and two loops put them.
void Chaos::Reconfigure() {
  DrawSettings(random_, wanted_);
  observer_.OnFault(absl::StrCat("the pair is configured anew: ", core::Name(wanted_.failback), " ",
                                 wanted_.preferred, ", adverts each ",
                                 absl::FormatDuration(wanted_.advert_interval)));
  const int first = AnyNode();
  pair_.node(first).Configure(wanted_);
  Later(Milliseconds(0), Seconds(3), [this, first] { pair_.node(1 - first).Configure(wanted_); });
}

uint64_t Chaos::AskFor(int node, core::OperationKind kind, bool force, absl::Duration length) {
  if (pair_.node(node).agent() == nullptr) return 0;
  ++operations_;
  observer_.OnFault(absl::StrCat(
      "an operator asks node", node + 1, ": ", core::Name(kind), force ? " --force" : "",
      length == absl::InfiniteDuration() ? ""
                                         : absl::StrCat(" --for ", absl::FormatDuration(length))));
  core::OperationAsked asked{core::OperationId{operations_}, kind, force};
  asked.length = length;
  pair_.node(node).Deliver(asked);
  return operations_;
}

void Chaos::Cease(bool bring_back) {
  active_ = false;
  observer_.OnFault("everything is mended");
  pair_.network().Heal();
  pair_.link().WireRepaired();
  for (int index : {0, 1}) {
    Node& node = pair_.node(index);
    node.PowerOn();
    node.WakeKeepalived();
    node.StartAgent();
    node.Configure(wanted_);
    node.Deliver(core::ComponentReported{"interface front", ""});
    node.SetFacts(Facts(), false);
    SetFront(index, true);
  }
  Unfreeze();
  if (bring_back) BringBack();
}

// Of both nodes: one that cannot reach the other does not know of its freeze.
void Chaos::Unfreeze() {
  for (int index : {0, 1}) {
    const Node& node = pair_.node(index);
    if (node.agent()->state().durable.freeze.active && !node.agent()->hung())
      AskFor(index, core::OperationKind::kUnfreeze, false);
  }
  pair_.clock().After(Seconds(5), [this] { Unfreeze(); });
}

void Chaos::BringBack() {
  for (int index : {0, 1}) {
    const Node& node = pair_.node(index);
    const core::State& state = node.agent()->state();
    if (state.durable.maintenance && !state.operation && !node.agent()->hung()) {
      AskFor(index, core::OperationKind::kStartMaintenance, false);
    }
  }
  pair_.clock().After(Seconds(5), [this] { BringBack(); });
}

}  // namespace zcluster::sim
