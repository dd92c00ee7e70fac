// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/support/lab.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace zcluster::lab {
namespace {

constexpr const char* kNodes[] = {"node1", "node2"};

// Eight letters and digits, as a lab's name must be: the same for the same tree and suite.
std::string NameFor(const std::string& suite) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (char c : std::string(ZLAB_BUILD) + "\n" + suite) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
  std::string name = "t";
  for (int i = 0; i < 7; ++i, hash /= 36) {
    name += "0123456789abcdefghijklmnopqrstuvwxyz"[hash % 36];
  }
  return name;
}

std::string Text(const YAML::Node& node) {
  return node.IsDefined() && node.IsScalar() ? node.as<std::string>() : "";
}

}  // namespace

bool WaitUntil(absl::Duration limit, const std::function<bool()>& condition) {
  const absl::Time end = absl::Now() + limit;
  while (!condition()) {
    if (absl::Now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // between two looks
  }
  return true;
}

YAML::Node ParseJson(const std::string& text) {
  try {
    return YAML::Load(text);
  } catch (const YAML::Exception&) {
    return YAML::Node(YAML::NodeType::Undefined);
  }
}

Traffic::Traffic(Lab& lab, std::vector<std::string> argv, const std::string& netns) : lab_(lab) {
  static int made = 0;
  file_ = absl::StrCat(lab.share(), "/traffic", ++made, ".json");
  remove(file_.c_str());
  const bool hold = argv[0] == "hold";
  argv.insert(argv.begin(), "zlab-traffic");
  argv.insert(argv.end(), {"--report", file_});
  if (!netns.empty()) argv.insert(argv.begin(), {"ip", "netns", "exec", netns});
  process_ = std::make_unique<Background>(lab.ExecArgv("client", argv));
  EXPECT_TRUE(WaitUntil(absl::Seconds(20),
                        [&] {
                          YAML::Node report = LastReport();
                          if (!report["pid"].IsDefined()) return false;
                          pid_ = report["pid"].as<std::string>();
                          return !hold || report["ready"].as<bool>();
                        }))
      << "zlab-traffic did not begin: " << absl::StrJoin(argv, " ");
}

Traffic::~Traffic() {
  if (process_ != nullptr) Signal("KILL");
}

YAML::Node Traffic::Report() { return Ask("USR1"); }

YAML::Node Traffic::Mark() { return Ask("USR2"); }

YAML::Node Traffic::Stop(int* code) {
  if (process_ != nullptr) {
    Signal("TERM");
    const int ended = process_->Wait();
    if (code != nullptr) *code = ended;
    process_.reset();
  }
  return LastReport();
}

YAML::Node Traffic::LastReport() const {
  std::ifstream file(file_);
  std::stringstream text;
  text << file.rdbuf();
  return ParseJson(text.str());
}

YAML::Node Traffic::Ask(const std::string& signal) {
  const auto number = LastReport()["report"].as<int64_t>(0);
  Signal(signal);
  EXPECT_TRUE(
      WaitUntil(absl::Seconds(10), [&] { return LastReport()["report"].as<int64_t>(0) > number; }))
      << "zlab-traffic does not answer " << signal;
  return LastReport();
}

void Traffic::Signal(const std::string& signal) {
  lab_.Exec("client", {"kill", "-" + signal, pid_});
}

Lab::Lab(const std::string& suite) : name_(NameFor(suite)) { setenv("ZC_BUILD", ZLAB_BUILD, 1); }

Lab::~Lab() { Down(); }

bool Lab::Up(std::vector<std::string> flags) {
  flags.insert(flags.begin(), "up");
  Outcome up = Run(flags);
  if (up.code != 0) std::cerr << up.err;
  return up.code == 0;
}

void Lab::Down() { Run({"down"}); }

std::string Lab::share() const { return absl::StrCat("/var/tmp/zlab-", name_, "/share"); }

Outcome Lab::Run(std::vector<std::string> words, const std::string& input) const {
  words.insert(words.begin(), {"env", "ZLAB=" + name_, ZLAB_COMMAND});
  return RunCommand(words, input);
}

std::vector<std::string> Lab::ExecArgv(const std::string& machine,
                                       const std::vector<std::string>& argv) const {
  std::vector<std::string> words{"env", "ZLAB=" + name_, ZLAB_COMMAND, "exec", machine};
  words.insert(words.end(), argv.begin(), argv.end());
  return words;
}

Outcome Lab::Exec(const std::string& machine, const std::vector<std::string>& argv,
                  const std::string& input) const {
  return RunCommand(ExecArgv(machine, argv), input);
}

void Lab::MustRun(std::vector<std::string> words) const {
  Outcome outcome = Run(words);
  EXPECT_EQ(outcome.code, 0) << "deploy/lab " << absl::StrJoin(words, " ") << ":\n"
                             << outcome.out << outcome.err;
}

void Lab::MustExec(const std::string& machine, const std::vector<std::string>& argv) const {
  Outcome outcome = Exec(machine, argv);
  EXPECT_EQ(outcome.code, 0) << machine << ": " << absl::StrJoin(argv, " ") << ":\n"
                             << outcome.out << outcome.err;
}

std::string Lab::Read(const std::string& machine, const std::vector<std::string>& argv) const {
  Outcome outcome = Exec(machine, argv);
  return outcome.code == 0 ? outcome.out : "";
}

std::string Lab::Holders(const std::string& vip) const {
  YAML::Node status = ParseJson(Run({"status", "--json"}).out);
  std::vector<std::string> holders;
  for (const YAML::Node& entry : status["vips"]) {
    if (Text(entry["address"]) != vip) continue;
    for (const YAML::Node& holder : entry["holders"]) holders.push_back(Text(holder));
  }
  return absl::StrJoin(holders, " ");
}

bool Lab::HoldsAll(const std::string& node) const {
  YAML::Node status = ParseJson(Run({"status", "--json"}).out);
  const int pair = (std::stoi(node.substr(4)) + 1) / 2;
  int held = 0;
  for (const YAML::Node& entry : status["vips"]) {
    if (entry["pair"].as<int>() != pair) continue;
    if (entry["holders"].size() != 1 || Text(entry["holder"]) != node) return false;
    ++held;
  }
  return held > 0;
}

std::string Lab::Master() const {
  std::string holders = Holders();
  EXPECT_TRUE(holders == "node1" || holders == "node2") << "holders: '" << holders << "'\n"
                                                        << Explain();
  return holders;
}

YAML::Node Lab::Status(const std::string& node) const {
  return ParseJson(Exec(node, {"zctl", "status", "-o", "json"}).out);
}

Lab::NodeLine Lab::Node(const std::string& on, const std::string& which) const {
  YAML::Node answer = ParseJson(Exec(on, {"zctl", "nodes", "-o", "json"}).out);
  if (!answer.IsDefined() || !answer.IsMap()) return {};
  for (const YAML::Node& line : answer["nodes"]) {
    if (Text(line["node"]) != which) continue;
    return {Text(line["role"]), Text(line["ip"]), Text(line["hostname"]), Text(line["status"]),
            Text(line["message"])};
  }
  return {};
}

bool Lab::Ready() const {
  for (const char* node : kNodes) {
    for (const char* which : {"local", "remote"}) {
      if (Node(node, which).status != "GREEN") return false;
    }
    YAML::Node status = Status(node);
    if (!status.IsMap() || Text(status["ready"]) != "true") return false;
  }
  return true;
}

std::string Lab::Explain() const {
  std::string text = Run({"status"}).out;
  for (const char* node : kNodes) {
    for (const std::vector<std::string>& argv : std::vector<std::vector<std::string>>{
             {"zctl", "nodes"},
             {"zctl", "status"},
             {"sh", "-c", "tail -n 40 /var/log/zcluster/*.log"}}) {
      Outcome outcome = Exec(node, argv);
      absl::StrAppend(&text, "--- ", node, ": ", absl::StrJoin(argv, " "), "\n", outcome.out,
                      outcome.err);
    }
  }
  return text;
}

}  // namespace zcluster::lab
