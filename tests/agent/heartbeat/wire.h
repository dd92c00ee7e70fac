// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "agent/heartbeat/address.h"
#include "agent/heartbeat/heartbeat.h"
#include "agent/heartbeat/render.h"
#include "common/child.h"
#include "common/file.h"
#include "common/loop.h"
#include "common/unique_fd.h"

// Two nodes in network namespaces of their own, joined by one wire, each with the real keepalived
// and our adapter.
namespace zcluster::heartbeat {

inline bool WaitUntil(absl::Duration limit, const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + limit;
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

inline absl::Status Ip(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"/usr/sbin/ip"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return RunProgram(argv, "", absl::Seconds(20));
}

// Everything that an adapter reported. Any thread.
class Recorder : public EventSink {
 public:
  // Before the first event.
  void OnStarting(std::function<void()> starting) { starting_ = std::move(starting); }

  void Report(core::Event event) override {
    if (std::holds_alternative<core::VrrpStarting>(event) && starting_) starting_();
    absl::MutexLock lock(&mutex_);
    if (const auto* starting = std::get_if<core::VrrpStarting>(&event)) aside_ = starting->aside;
    if (const auto* vrrp = std::get_if<core::VrrpReported>(&event)) states_.push_back(vrrp->state);
    if (const auto* part = std::get_if<core::ComponentReported>(&event))
      problems_.push_back(part->problem);
  }
  std::vector<core::VrrpState> states() const {
    absl::MutexLock lock(&mutex_);
    return states_;
  }
  bool LastIs(core::VrrpState state) const {
    absl::MutexLock lock(&mutex_);
    return !states_.empty() && states_.back() == state;
  }
  // As it was told with the last start; zero if none was.
  absl::Duration aside() const {
    absl::MutexLock lock(&mutex_);
    return aside_;
  }
  // In their order; an empty one says that the last is over.
  std::vector<std::string> problems() const {
    absl::MutexLock lock(&mutex_);
    return problems_;
  }

 private:
  std::function<void()> starting_;
  mutable absl::Mutex mutex_;
  std::vector<core::VrrpState> states_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> problems_ ABSL_GUARDED_BY(mutex_);
  absl::Duration aside_ ABSL_GUARDED_BY(mutex_);
};

// Counts the addresses that its namespace got or lost since it was made. That an IPv6 address was
// added is left out: the kernel says so late, when it is done with it, so it may be an older one;
// and none that is moved comes back without having gone.
class AddressEvents {
 public:
  AddressEvents()
      : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)) {
    sockaddr_nl address = {};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  int Count() {
    alignas(nlmsghdr) char buffer[8192];
    while (::recv(fd_.get(), buffer, sizeof buffer, 0) > 0) {
      const auto* message = reinterpret_cast<const nlmsghdr*>(buffer);
      const auto* address = static_cast<const ifaddrmsg*>(::mnl_nlmsg_get_payload(message));
      if (message->nlmsg_type == RTM_DELADDR || address->ifa_family == AF_INET) ++count_;
    }
    return count_;
  }

 private:
  UniqueFd fd_;
  int count_ = 0;
};

// One node: a thread in a namespace, with its loop. What is called on it runs there.
class Node {
 public:
  Node(std::string name, const std::string& directory, int number)
      : namespace_(std::move(name)),
        number_(number),
        directory_(absl::StrCat(directory, "/", number)) {
    EXPECT_TRUE(Ip({"netns", "add", namespace_}).ok());
    thread_ = std::thread([this] {
      EnterNamespace();
      loop_.Run();
    });
  }
  ~Node() {
    StopAgent();
    for (const char* file : {"run/keepalived.pid", "run/keepalived-vrrp.pid"}) {
      if (pid_t pid = Pid(file); pid > 0) ::kill(pid, SIGKILL);
    }
    loop_.Quit();
    thread_.join();
    EXPECT_TRUE(Ip({"netns", "del", namespace_}).ok());
  }

  void EnterNamespace() const {
    UniqueFd fd(::open(absl::StrCat("/run/netns/", namespace_).c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::setns(fd.get(), CLONE_NEWNET), 0);
  }

  // Runs `function` on the node and waits for it.
  template <typename F>
  auto On(F function) -> decltype(function()) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    loop_.Post([&task] { task(); });
    return result.get();
  }

  core::AdvertInterval interval = *core::AdvertInterval::From(absl::Milliseconds(100));
  std::vector<Vip> vips = {{"192.0.2.100/24", "eth0"}, {"2001:db8::100/64", "eth0"}};
  std::string interface = "eth0";
  int router_id = 51;

  std::string address() const { return absl::StrCat("192.0.2.", number_); }

  Options MakeOptions() const {
    return {.node_name = absl::StrCat("node", number_),
            .interface = interface,
            .address = address(),
            .peer_address = absl::StrCat("192.0.2.", 3 - number_),
            .router_id = router_id,
            .advert_interval = interval,
            .vips = vips,
            .state_dir = directory_ + "/state",
            .run_dir = directory_ + "/run"};
  }

  // An agent starts: as the brain does it, FAULT and standing first. Before it starts a keepalived
  // it is told so, and says FAULT anew, unless `gate_opens` is false: then it stands aside.
  void StartAgent(const std::string& fault = "", bool gate_opens = true) {
    recorder_ = std::make_unique<Recorder>();
    if (gate_opens) {
      recorder_->OnStarting([this, fault] {
        loop_.Post([this, fault] {
          if (heartbeat_ != nullptr) heartbeat_->Perform(core::SetFault{fault});
        });
      });
    }
    On([&] {
      heartbeat_ = std::make_unique<Heartbeat>(loop_, MakeOptions());
      const absl::Status started = heartbeat_->Start(*recorder_);
      EXPECT_TRUE(started.ok()) << started;
      heartbeat_->Perform(core::SetFault{fault});
      heartbeat_->Perform(core::SetStanding{core::Standing::kStandby});
      heartbeat_->Perform(core::StartHeartbeat{});
    });
  }
  // The adapter alone, before anything was asked of it.
  void MakeAgent() {
    recorder_ = std::make_unique<Recorder>();
    On([&] { heartbeat_ = std::make_unique<Heartbeat>(loop_, MakeOptions()); });
  }
  // It ends; keepalived does not.
  void StopAgent() {
    On([&] { heartbeat_.reset(); });
  }
  void Perform(const core::Action& action) {
    On([&] { heartbeat_->Perform(action); });
  }

  // The running agent takes what the node is configured with by now; how that ended.
  absl::Status Reconfigure() {
    return Ask([this](auto done) { heartbeat_->Reconfigure(MakeOptions(), std::move(done)); });
  }
  absl::Status Check(const Options& options) {
    return Ask([&](auto done) { Heartbeat::CheckConfig(loop_, options, std::move(done)); });
  }
  void GiveBack() {
    (void)Ask([this](auto done) {
      heartbeat_->GiveBack([done = std::move(done)] { done(absl::OkStatus()); });
    });
  }

  const Recorder& reported() const { return *recorder_; }

  // How many of the VIPs and the anchor it has.
  size_t Holds() {
    std::vector<Vip> all = vips;
    all.push_back(AnchorOf(MakeOptions()));
    return On([&] {
      size_t held = 0;
      for (const Vip& vip : all) held += HasAddress(vip).value() ? 1U : 0U;
      return held;
    });
  }
  bool HoldsAll() { return Holds() == vips.size() + 1; }

  // 0 if there is no such file.
  pid_t Pid(const std::string& file) const {
    const absl::StatusOr<std::string> content = ReadFile(absl::StrCat(directory_, "/", file));
    pid_t pid = 0;
    return content.ok() && absl::SimpleAtoi(absl::StripAsciiWhitespace(*content), &pid) ? pid : 0;
  }
  pid_t Keepalived() const { return Pid("run/keepalived.pid"); }
  pid_t Vrrp() const { return Pid("run/keepalived-vrrp.pid"); }

  Loop& loop() { return loop_; }
  Heartbeat& heartbeat() { return *heartbeat_; }  // on the loop
  const std::string& network() const { return namespace_; }
  const std::string& directory() const { return directory_; }

  // Runs `ask` on the node, and waits for the answer that it is given later.
  absl::Status Ask(const std::function<void(std::function<void(const absl::Status&)> done)>& ask) {
    std::promise<absl::Status> answer;
    On([&] { ask([&answer](const absl::Status& status) { answer.set_value(status); }); });
    return answer.get_future().get();
  }

 private:
  const std::string namespace_;
  const int number_;
  const std::string directory_;
  Loop loop_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<Heartbeat> heartbeat_;  // used on the loop
  std::thread thread_;
};

class HeartbeatTest : public testing::Test {
 protected:
  static constexpr absl::Duration kLimit = absl::Seconds(20);

  HeartbeatTest() {
    std::string pattern = testing::TempDir() + "/zt-hb-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    const std::string name = absl::StrCat("zt-hb-", ::getpid(), "-");
    a_ = std::make_unique<Node>(name + "a", directory_, 1);
    b_ = std::make_unique<Node>(name + "b", directory_, 2);
    Must({"-n", a_->network(), "link", "add", "eth0", "type", "veth", "peer", "name", "eth0",
          "netns", b_->network()});
    for (Node* node : {a_.get(), b_.get()}) {
      Must({"-n", node->network(), "link", "set", "lo", "up"});
      Must({"-n", node->network(), "link", "set", "eth0", "up"});
      Must({"-n", node->network(), "addr", "add", node->address() + "/24", "dev", "eth0"});
    }
  }
  ~HeartbeatTest() override {
    if (HasFailure()) std::cerr << Explain();
    a_.reset();
    b_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  static void Must(const std::vector<std::string>& arguments) {
    const absl::Status status = Ip(arguments);
    EXPECT_TRUE(status.ok()) << status;
  }

  // Both nodes run, A is master.
  void StartPair() {
    a_->StartAgent();
    ASSERT_TRUE(WaitUntil(
        kLimit, [&] { return a_->HoldsAll() && a_->reported().LastIs(core::VrrpState::kMaster); }));
    b_->StartAgent();
    ASSERT_TRUE(WaitUntil(
        kLimit, [&] { return b_->reported().LastIs(core::VrrpState::kBackup) && b_->Vrrp() > 0; }));
  }

  // Cuts VRRP, and VRRP alone.
  void Cut() {
    for (Node* node : {a_.get(), b_.get()}) {
      Must({"netns", "exec", node->network(), "nft",
            "add table inet cut; add chain inet cut out { type filter hook output priority 0; }; "
            "add rule inet cut out meta l4proto 112 drop"});
    }
  }
  void Heal() {
    for (Node* node : {a_.get(), b_.get()}) {
      Must({"netns", "exec", node->network(), "nft", "delete table inet cut"});
    }
  }

  std::string Explain() {
    std::string text;
    for (Node* node : {a_.get(), b_.get()}) {
      absl::StrAppend(&text, "--- ", node->network(), " holds ", node->Holds(), "\n",
                      ReadFile(node->directory() + "/run/keepalived.log").value_or("no log\n"));
    }
    return text;
  }

  std::string directory_;
  std::unique_ptr<Node> a_;
  std::unique_ptr<Node> b_;
};

}  // namespace zcluster::heartbeat
