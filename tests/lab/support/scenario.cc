// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/support/scenario.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace zcluster::lab {
namespace {

std::string CgroupRoot() {
  std::ifstream mounts("/proc/mounts");
  std::string device, where, type, rest;
  while (mounts >> device >> where >> type && std::getline(mounts, rest)) {
    if (type == "cgroup2") return where;
  }
  return "/sys/fs/cgroup";
}

}  // namespace

std::optional<Lab> Scenario::lab_;
bool Scenario::raised_ = false;

void Scenario::Raise(const std::string& suite, std::vector<std::string> flags) {
  lab_.emplace(suite);
  raised_ = lab_->Up(std::move(flags));
}

void Scenario::TearDownTestSuite() { lab_.reset(); }

Lab& Scenario::lab() { return *lab_; }

void Scenario::SetUp() {
  ASSERT_TRUE(raised_) << "the lab is not ready\n" << lab().Explain();
  ASSERT_TRUE(WaitUntil(kLong, [] { return lab().Ready(); })) << "not ready before the test began";
}

void Scenario::TearDown() {
  if (HasFailure()) std::cerr << lab().Explain();
}

Traffic Scenario::Hold(int connections, const std::string& address, const std::string& netns) {
  Traffic traffic(lab(),
                  {"hold", "--to", address + ":80", "--connections", absl::StrCat(connections),
                   "--kinds", "busy,idle,half-open"},
                  netns);
  EXPECT_TRUE(WaitUntil(kLong, [&] { return traffic.Report()["open"].as<int>() == connections; }))
      << traffic.Report();
  return traffic;
}

Traffic Scenario::Probe() {
  Traffic traffic(lab(), {"probe", "--to", "10.10.0.100:7007"});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return traffic.Report()["answered"].as<int>() > 50; }))
      << traffic.Report();
  traffic.Mark();
  return traffic;
}

Traffic Scenario::Requests(int rate) {
  Traffic traffic(lab(), {"requests", "--to", "10.10.0.100:80", "--rate", absl::StrCat(rate)});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return traffic.Report()["ok"].as<int>() > 10; }))
      << traffic.Report();
  return traffic;
}

void Scenario::AwaitReplicated(const std::string& master, int flows) {
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    YAML::Node conntrack = lab().Status(master)["conntrack"];
    return conntrack.IsMap() && conntrack["synchronised"].as<bool>(false) &&
           conntrack["flows"].as<int>(0) >= flows && conntrack["lag_ms"].as<double>(1e9) < 50;
  })) << "the connections were not replicated";
}

void Scenario::AwaitAnswers(Traffic& probe) {
  EXPECT_TRUE(WaitUntil(kLong, [&] { return probe.Report()["silent_ms"].as<double>() < 50; }))
      << "the client gets no answers any more";
}

void Scenario::ExpectAllAlive(Traffic& connections, int count) {
  connections.Mark();
  EXPECT_TRUE(WaitUntil(kLong, [&] { return connections.Report()["open"].as<int>() == count; }));
  YAML::Node report = connections.Report();
  for (const char* end : {"reset", "closed", "timed_out", "failed", "corrupt", "stalled"}) {
    EXPECT_EQ(report[end].as<int>(), 0) << end << ": " << report;
  }
}

void Scenario::AwaitReady() {
  EXPECT_TRUE(WaitUntil(kLong, [] { return lab().Ready(); })) << "the pair did not become ready";
}

int Scenario::Transitions(const std::string& node) {
  int count = 0;
  const std::string text = lab().Read(
      node, {"sh", "-c", "cat /run/zcluster/keepalived.log | grep -c 'Entering .* STATE'"});
  return absl::SimpleAtoi(text, &count) ? count : 0;
}

int64_t Scenario::Term(const std::string& node) {
  YAML::Node status = lab().Status(node);
  return status.IsMap() ? status["term"].as<int64_t>(0) : 0;
}

Outcome Scenario::Follow(const std::string& machine, const std::vector<std::string>& argv,
                         const std::string& input,
                         const std::function<void(const std::string&)>& line) {
  const std::vector<std::string> words = lab().ExecArgv(machine, argv);
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  int in[2], out[2];
  if (pipe(in) != 0 || pipe(out) != 0) abort();
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    dup2(out[1], 2);
    for (int fd : {in[0], in[1], out[0], out[1]}) close(fd);
    execvp(pointers[0], pointers.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  if (write(in[1], input.data(), input.size()) < 0) abort();
  close(in[1]);
  Outcome outcome;
  std::string begun;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(out[0], buffer, sizeof buffer)) > 0;) {
    begun.append(buffer, static_cast<size_t>(n));
    outcome.out.append(buffer, static_cast<size_t>(n));
    for (size_t end = 0; (end = begun.find('\n')) != std::string::npos;) {
      line(begun.substr(0, end));
      begun.erase(0, end + 1);
    }
  }
  close(out[0]);
  int how = 0;
  waitpid(pid, &how, 0);
  outcome.code = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
  return outcome;
}

std::string Scenario::Cgroup(const std::string& node) {
  return absl::StrCat(CgroupRoot(), "/zlab-", lab().name(), "/", node);
}

std::vector<pid_t> Scenario::Pids(const std::string& node, const std::string& name) {
  std::vector<pid_t> pids;
  std::ifstream group(Cgroup(node) + "/cgroup.procs");
  for (pid_t pid = 0; group >> pid;) {
    std::ifstream comm(absl::StrCat("/proc/", pid, "/comm"));
    std::string its;
    if (comm >> its && its == name) pids.push_back(pid);
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

pid_t Scenario::AgentPid(const std::string& node) {
  const std::vector<pid_t> agents = Pids(node, "zagent");
  return agents.empty() ? -1 : agents.front();
}

void Scenario::AwaitGone(pid_t pid) {
  EXPECT_TRUE(WaitUntil(kLong, [&] { return kill(pid, 0) != 0; })) << pid << " is still there";
}

}  // namespace zcluster::lab
