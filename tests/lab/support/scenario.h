// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/lab/support/lab.h"

namespace zcluster::lab {

// What a broken pair alone exceeds: booting, detecting, synchronising all take a few seconds at
// most.
constexpr absl::Duration kLong = absl::Seconds(40);

// Tests that share one lab with agents: Raise() it in SetUpTestSuite(). Each test begins with a
// pair that is ready, and a failed one prints what explains it.
class Scenario : public testing::Test {
 protected:
  // Raises the lab of `suite`, with flags as `deploy/lab up` takes them.
  static void Raise(const std::string& suite, std::vector<std::string> flags = {});
  static void TearDownTestSuite();
  static Lab& lab();
  static bool raised() { return raised_; }

  void SetUp() override;
  void TearDown() override;

  // Long-lived connections to the farm that have moved bytes, a third each busy, idle and
  // half-open; address: "10.10.0.100" or
  // "[fd10::100]"; netns as for Traffic.
  static Traffic Hold(int connections, const std::string& address = "10.10.0.100",
                      const std::string& netns = "");
  // A UDP probe each millisecond that is being answered.
  static Traffic Probe();
  // `rate` requests a second that succeed.
  static Traffic Requests(int rate);

  // Waits until the backup has every connection of the master.
  static void AwaitReplicated(const std::string& master, int flows);
  // Waits until the client is answered again.
  static void AwaitAnswers(Traffic& probe);
  // Sets a mark and demands that all of these connections move bytes after it, and none was ever
  // lost.
  static void ExpectAllAlive(Traffic& connections, int count);
  // Waits for both nodes GREEN and ready.
  static void AwaitReady();

  // Lines of the node's keepalived log that tell a change of VRRP state since it booted.
  static int Transitions(const std::string& node);
  // The term that the node knows.
  static int64_t Term(const std::string& node);

  // Runs `argv` on `machine`, and hands each line of its output to `line` as it comes.
  static Outcome Follow(const std::string& machine, const std::vector<std::string>& argv,
                        const std::string& input,
                        const std::function<void(const std::string&)>& line);
  // The node's processes of that name, oldest first, as this process can signal them.
  static std::vector<pid_t> Pids(const std::string& node, const std::string& name);
  // The node's agent as this process can signal it; -1 if none runs.
  static pid_t AgentPid(const std::string& node);
  // Until the process is ended and reaped. A group of processes no longer lists one that is about
  // to end, while what it had open may still be.
  static void AwaitGone(pid_t pid);
  // The node's control group, as this process sees it.
  static std::string Cgroup(const std::string& node);

 private:
  static std::optional<Lab> lab_;
  static bool raised_;
};

}  // namespace zcluster::lab
