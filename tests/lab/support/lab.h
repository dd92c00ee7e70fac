// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/lab/support/process.h"

namespace zcluster::lab {

// True as soon as `condition` holds; false if it never did within `limit`, which only a broken
// product should reach.
bool WaitUntil(absl::Duration limit, const std::function<bool()>& condition);

// JSON as a tree (it is a subset of YAML). An invalid text gives an undefined node.
YAML::Node ParseJson(const std::string& text);

class Lab;

// A zlab-traffic verb that runs on the lab's client.
class Traffic {
 public:
  // argv: the verb and its flags, without --report. `netns`: in that network namespace of the
  // client's.
  Traffic(Lab& lab, std::vector<std::string> argv, const std::string& netns = "");
  Traffic(Traffic&&) = default;
  // Ended by SIGKILL if nobody called Stop().
  ~Traffic();

  // What it has seen up to now, written for this call.
  YAML::Node Report();
  // From here on only what moves counts; the report as it stands now.
  YAML::Node Mark();
  // Ends it in peace; its last report. `code` gets its exit code.
  YAML::Node Stop(int* code = nullptr);

 private:
  YAML::Node LastReport() const;
  YAML::Node Ask(const std::string& signal);
  void Signal(const std::string& signal);

  Lab& lab_;
  std::string file_;
  std::string pid_;                      // as the client counts
  std::unique_ptr<Background> process_;  // empty once stopped or moved away
};

// One lab, through the same command that people type. Its name depends on the build tree and on
// `suite`: a killed run's leftovers are found again, and two trees on one machine do not meet.
class Lab {
 public:
  // `suite` tells the labs of one tree apart. Nothing is raised yet.
  explicit Lab(const std::string& suite);
  // Takes the lab down.
  ~Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  // Raises it; false if it did not become ready, and then Explain() knows more.
  bool Up(std::vector<std::string> flags = {});
  void Down();

  const std::string& name() const { return name_; }
  // A directory that every machine sees under this very path.
  std::string share() const;

  // deploy/lab with these words.
  Outcome Run(std::vector<std::string> words, const std::string& input = "") const;
  std::vector<std::string> ExecArgv(const std::string& machine,
                                    const std::vector<std::string>& argv) const;
  Outcome Exec(const std::string& machine, const std::vector<std::string>& argv,
               const std::string& input = "") const;
  // The same, but a failure of the command fails the running test.
  void MustRun(std::vector<std::string> words) const;
  void MustExec(const std::string& machine, const std::vector<std::string>& argv) const;

  // Standard output of a command that must succeed for it to be of use; "" otherwise.
  std::string Read(const std::string& machine, const std::vector<std::string>& argv) const;

  // The nodes that hold a VIP, one word each, "" for nobody: "node1", or "node1 node2" if all is
  // lost.
  std::string Holders(const std::string& vip = "10.10.0.100") const;
  // Whether `node`, and nobody else, holds every VIP of its pair.
  bool HoldsAll(const std::string& node) const;
  // The one node that holds the first VIP; fails the running test unless there is exactly one.
  std::string Master() const;
  static std::string Peer(const std::string& node) { return node == "node1" ? "node2" : "node1"; }

  // `zctl status` on that node.
  YAML::Node Status(const std::string& node) const;
  // `zctl nodes` on that node: the line called "local" or "remote". Its fields are never missing.
  struct NodeLine {
    std::string role, ip, hostname, status, message;
  };
  NodeLine Node(const std::string& on, const std::string& which) const;
  // Both lines GREEN on both nodes, both ready.
  bool Ready() const;

  // All that explains a failure: machines, what both nodes say, the ends of their logs.
  std::string Explain() const;

 private:
  std::string name_;
};

}  // namespace zcluster::lab
