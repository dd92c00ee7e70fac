// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/support/scenario.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace zcluster::lab {

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

Traffic Scenario::Hold(int connections, const std::string& address) {
  Traffic traffic(lab(), {"hold", "--to", address + ":80", "--connections",
                          absl::StrCat(connections), "--kinds", "busy,idle,half-open"});
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

}  // namespace zcluster::lab
