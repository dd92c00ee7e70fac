// SPDX-License-Identifier: Apache-2.0
#include "agent/command/command.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "agent/command/runs.h"
#include "tests/support/open_guard.h"
#include "zcluster/v1/command.grpc.pb.h"

namespace zcluster::command {
namespace {

using testing::HasSubstr;

// Stands for the brain: counts what was flushed.
class FakeBrain : public EventSink {
 public:
  void Report(core::Event event) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto* flushed = std::get_if<core::Flushed>(&event);
    if (flushed != nullptr && flushed->replicator == core::Replicator::kCommands) ++flushed_;
  }
  bool WaitForFlushed(int count) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto come = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return flushed_ >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&come), absl::Seconds(20));
  }
  int flushed() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return flushed_;
  }

 private:
  absl::Mutex mutex_;
  int flushed_ ABSL_GUARDED_BY(mutex_) = 0;
};

CommandSpec Script(const std::string& name, const std::string& script) {
  return {name, "", {"/bin/sh", "-c", script}, {}, absl::Seconds(60)};
}

std::vector<CommandSpec> Commands(const std::string& directory) {
  CommandSpec say{"say", "Says a word", {"/bin/echo", "said", "{word}"}, {{"word", "[a-z]+"}}};
  CommandSpec slow = Script("slow", "echo begun; /bin/sleep 1000");
  slow.timeout = absl::Milliseconds(200);
  return {say,
          slow,
          Script("both", "echo out; echo err >&2; exit 3"),
          Script("big", "head -c 2000000 /dev/zero"),
          Script("count", absl::StrCat("echo run >> ", directory, "/count")),
          Script("gate", absl::StrCat("echo open; read x < ", directory, "/gate; echo end >> ",
                                      directory, "/ended")),
          {"missing", "", {"/nonexistent/program"}, {}},
          {"forbidden", "", {"/bin/true"}, {}}};
}

// An agent's command room, with its own loop and both its servers on UNIX sockets.
class Node {
 public:
  Node(const std::string& directory, const std::string& name, const std::string& peer)
      : name_(name),
        peer_(peer),
        command_(
            loop_,
            {name, peer, Commands(directory), {"/bin/sh", "/bin/echo", "/nonexistent/program"}},
            grpc::CreateChannel(absl::StrCat("unix:", directory, "/", peer, ".peer"),
                                grpc::InsecureChannelCredentials()),
            guard_) {
    started_ = command_.Start(brain_);
    local_server_ =
        Serve(absl::StrCat("unix:", directory, "/", name, ".local"), command_.local_service());
    peer_server_ =
        Serve(absl::StrCat("unix:", directory, "/", name, ".peer"), command_.peer_service());
    thread_ = std::thread([this] { loop_.Run(); });
    stub_ = v1::CommandService::NewStub(grpc::CreateChannel(
        absl::StrCat("unix:", directory, "/", name, ".local"), grpc::InsecureChannelCredentials()));
    peer_stub_ = v1::CommandService::NewStub(grpc::CreateChannel(
        absl::StrCat("unix:", directory, "/", name, ".peer"), grpc::InsecureChannelCredentials()));
  }
  ~Node() { End(); }

  void End() {
    if (!thread_.joinable()) return;
    OnLoop([this] { command_.Stop(); });
    peer_server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(10));
    local_server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(10));
    loop_.Quit();
    thread_.join();
  }

  void Assume(core::Role role, uint64_t term) {
    OnLoop([&] { command_.Perform(core::AssumeRole{role, core::Term{term}}); });
  }

  void OnLoop(const std::function<void()>& task) {
    absl::Notification done;
    loop_.Post([&] {
      task();
      done.Notify();
    });
    done.WaitForNotification();
  }

  absl::Status Reconfigure(std::vector<CommandSpec> catalogue, std::vector<std::string> programs) {
    absl::Status status;
    OnLoop([&] { status = command_.Reconfigure({name_, peer_, catalogue, programs}); });
    return status;
  }

  v1::CommandService::Stub& local() { return *stub_; }
  v1::CommandService::Stub& peer() { return *peer_stub_; }
  absl::Status started() const { return started_; }
  FakeBrain& brain() { return brain_; }
  void Perform(const core::Action& action) {
    OnLoop([&] { command_.Perform(action); });
  }
  test::OpenGuard& guard() { return guard_; }

 private:
  static std::unique_ptr<grpc::Server> Serve(const std::string& address, grpc::Service& service) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    return builder.BuildAndStart();
  }

  const std::string name_;
  const std::string peer_;
  Loop loop_;
  FakeBrain brain_;
  test::OpenGuard guard_;
  Command command_;
  absl::Status started_;
  std::unique_ptr<grpc::Server> local_server_;
  std::unique_ptr<grpc::Server> peer_server_;
  std::unique_ptr<v1::CommandService::Stub> stub_;
  std::unique_ptr<v1::CommandService::Stub> peer_stub_;
  std::thread thread_;
};

struct NodeOutput {
  std::string out;
  std::string err;
  v1::RunResult result;
  int results = 0;
};

struct Answer {
  std::map<std::string, NodeOutput> nodes;
  std::vector<std::string> result_order;
  grpc::Status status;
};

Answer Collect(grpc::ClientReader<v1::RunEvent>& reader) {
  Answer answer;
  v1::RunEvent event;
  while (reader.Read(&event)) {
    NodeOutput& node = answer.nodes[event.node()];
    node.out += event.standard_output();
    node.err += event.standard_error();
    if (!event.has_result()) continue;
    node.result = event.result();
    ++node.results;
    answer.result_order.push_back(event.node());
  }
  answer.status = reader.Finish();
  return answer;
}

class CommandTest : public testing::Test {
 protected:
  CommandTest() {
    char pattern[] = "/tmp/zt-command-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    node1_ = std::make_unique<Node>(directory_, "node1", "node2");
    node2_ = std::make_unique<Node>(directory_, "node2", "node1");
    node1_->Assume(core::Role::kMaster, 5);
    node2_->Assume(core::Role::kBackup, 5);
  }
  ~CommandTest() override {
    node1_->End();
    node2_->End();
    std::filesystem::remove_all(directory_);
  }

  static v1::RunRequest Request(const std::string& name, const Values& values = {}) {
    v1::RunRequest request;
    request.set_name(name);
    request.mutable_arguments()->insert(values.begin(), values.end());
    return request;
  }

  static Answer Run(v1::CommandService::Stub& stub, const std::string& name,
                    const Values& values = {}) {
    grpc::ClientContext context;
    return Collect(*stub.Run(&context, Request(name, values)));
  }

  static Answer Replicate(Node& node, uint64_t term) {
    grpc::ClientContext context;
    v1::ReplicateRequest request;
    *request.mutable_run() = Request("count");
    request.set_term(term);
    return Collect(*node.peer().Replicate(&context, request));
  }

  std::string directory_;
  std::unique_ptr<Node> node1_;
  std::unique_ptr<Node> node2_;
};

void ExpectBothRan(const Answer& answer) {
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_THAT(answer.result_order, testing::ElementsAre("node1", "node2"));
  for (const auto& [name, node] : answer.nodes) {
    EXPECT_EQ(node.out, "out\n") << name;
    EXPECT_EQ(node.err, "err\n") << name;
    EXPECT_EQ(node.result.exit_code(), 3) << name;
    EXPECT_EQ(node.result.problem(), "") << name;
    EXPECT_EQ(node.results, 1) << name;
  }
}

TEST_F(CommandTest, RunsOnTheMasterAndThenOnTheBackup) {
  ExpectBothRan(Run(node1_->local(), "both"));
}

TEST_F(CommandTest, ABackupPassesItOnToTheMaster) { ExpectBothRan(Run(node2_->local(), "both")); }

TEST_F(CommandTest, ArgumentsReachBothNodes) {
  const Answer answer = Run(node1_->local(), "say", {{"word", "hello"}});
  EXPECT_EQ(answer.nodes.at("node1").out, "said hello\n");
  EXPECT_EQ(answer.nodes.at("node2").out, "said hello\n");
}

TEST_F(CommandTest, LongOutputIsCutOnBothNodes) {
  const Answer answer = Run(node2_->local(), "big");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  for (const char* name : {"node1", "node2"}) {
    EXPECT_EQ(answer.nodes.at(name).out.size(), size_t{1} << 20);
    EXPECT_THAT(answer.nodes.at(name).err, HasSubstr("bytes of standard output beyond 1 MiB"));
  }
}

TEST_F(CommandTest, ATimeoutIsAProblemOfEachNode) {
  const Answer answer = Run(node1_->local(), "slow");
  EXPECT_TRUE(answer.status.ok());
  for (const char* name : {"node1", "node2"}) {
    EXPECT_EQ(answer.nodes.at(name).out, "begun\n");
    EXPECT_THAT(answer.nodes.at(name).result.problem(), HasSubstr("did not end within 200ms"));
  }
}

TEST_F(CommandTest, UnknownNameOrArgumentIsRefusedFromEitherNode) {
  for (Node* node : {node1_.get(), node2_.get()}) {
    Answer answer = Run(node->local(), "nonsense");
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(answer.status.error_message(), HasSubstr("there are: say, slow, both"));
    answer = Run(node->local(), "say", {{"word", "Hello; reboot"}});
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(answer.status.error_message(), HasSubstr("pattern [a-z]+"));
    EXPECT_TRUE(answer.nodes.empty());
  }
}

TEST_F(CommandTest, AProgramThatIsNotAllowedIsRefused) {
  const Answer answer = Run(node1_->local(), "forbidden");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("`programs` in its agent.yaml"));
}

TEST_F(CommandTest, WhatDoesNotStartOnTheMasterIsNotRunOnTheBackup) {
  const Answer answer = Run(node1_->local(), "missing");
  EXPECT_TRUE(answer.status.ok());
  EXPECT_THAT(answer.nodes.at("node1").result.problem(), HasSubstr("cannot start"));
  EXPECT_THAT(answer.nodes.at("node2").result.problem(), HasSubstr("not run, because"));
}

TEST_F(CommandTest, AnUnreachablePeerIsItsOwnProblem) {
  node2_->End();
  const Answer answer = Run(node1_->local(), "both");
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.nodes.at("node1").result.exit_code(), 3);
  EXPECT_THAT(answer.nodes.at("node2").result.problem(),
              testing::StartsWith("node2 unreachable: "));
}

TEST_F(CommandTest, ABackupWithoutItsMasterSaysSo) {
  node1_->End();
  const Answer answer = Run(node2_->local(), "both");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(answer.status.error_message(),
              HasSubstr("node2 is not master, and node1 is unreachable"));
}

TEST_F(CommandTest, TwoBackupsDoNotPlayBall) {
  node1_->Assume(core::Role::kBackup, 5);
  const Answer answer = Run(node2_->local(), "both");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("no node of the pair"));
}

TEST_F(CommandTest, ATermThatIsOverIsRefused) {
  EXPECT_EQ(Replicate(*node2_, 4).status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/count"));
  EXPECT_TRUE(Replicate(*node2_, 7).status.ok());  // a later one is taken, and remembered
  EXPECT_EQ(Replicate(*node2_, 6).status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Replicate(*node1_, 9).status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(CommandTest, TheOldMastersRunIsRefusedByTheNewOne) {
  node2_->Assume(core::Role::kMaster, 6);
  const Answer answer = Run(node1_->local(), "both");
  EXPECT_EQ(answer.nodes.at("node1").result.exit_code(), 3);
  EXPECT_THAT(answer.nodes.at("node2").result.problem(),
              testing::StartsWith("node2 refused: term 5 is over"));
}

// The barrier of a hand-over: what runs ends on both nodes first; what is asked for meanwhile
// waits, and runs where the master is then.
TEST_F(CommandTest, AHandOverWaitsForWhatRunsAndHoldsWhatComes) {
  ASSERT_EQ(::mkfifo((directory_ + "/gate").c_str(), 0600), 0);
  grpc::ClientContext running, waiting;
  auto run = node1_->local().Run(&running, Request("gate"));
  v1::RunEvent event;
  ASSERT_TRUE(run->Read(&event));
  EXPECT_EQ(event.standard_output(), "open\n");
  node1_->Perform(core::Flush{core::OperationId{1}, core::Replicator::kConfig});
  node1_->Perform(core::Flush{core::OperationId{1}, core::Replicator::kCommands});
  auto held = node1_->local().Run(&waiting, Request("both"));
  EXPECT_EQ(node1_->brain().flushed(), 0);
  std::ofstream(directory_ + "/gate") << "go\n";
  while (run->Read(&event) && event.standard_output() != "open\n") {
  }
  EXPECT_EQ(event.node(), "node2");
  EXPECT_EQ(node1_->brain().flushed(), 0) << "it runs on the peer still";
  std::ofstream(directory_ + "/gate") << "go\n";
  EXPECT_TRUE(node1_->brain().WaitForFlushed(1));
  EXPECT_EQ(Collect(*run).nodes.at("node2").results, 1);

  node2_->Assume(core::Role::kMaster, 6);
  node1_->Assume(core::Role::kBackup, 6);
  node1_->Perform(core::ReleaseCommands{});
  const Answer answer = Collect(*held);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_THAT(answer.result_order, testing::ElementsAre("node2", "node1"));
}

TEST_F(CommandTest, WhatWasPassedOnRunsHereWhenMastershipComesHere) {
  node1_->Perform(core::Flush{core::OperationId{1}, core::Replicator::kCommands});
  grpc::ClientContext context;
  auto passed_on = node2_->local().Run(&context, Request("both"));
  ASSERT_TRUE(node1_->brain().WaitForFlushed(1));
  node2_->Assume(core::Role::kMaster, 6);
  node1_->Assume(core::Role::kBackup, 6);
  node1_->Perform(core::ReleaseCommands{});
  const Answer answer = Collect(*passed_on);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_THAT(answer.result_order, testing::ElementsAre("node2", "node1"));
}

TEST_F(CommandTest, AHandOverThatIsUndoneLetsThemRunHere) {
  node1_->Perform(core::Flush{core::OperationId{1}, core::Replicator::kCommands});
  EXPECT_TRUE(node1_->brain().WaitForFlushed(1)) << "nothing runs";
  // One more than may wait.
  std::vector<std::future<Answer>> calls;
  for (size_t i = 0; i <= kMaxAtOnce; ++i) {
    calls.push_back(
        std::async(std::launch::async, [this] { return Run(node1_->local(), "count"); }));
  }
  const auto refused = [&] {
    return std::find_if(calls.begin(), calls.end(), [](const std::future<Answer>& call) {
      return call.wait_for(std::chrono::milliseconds(10)) == std::future_status::ready;
    });
  };
  auto first = refused();
  while (first == calls.end()) first = refused();
  const grpc::Status status = first->get().status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("8 commands wait already until node1"));
  calls.erase(first);
  node1_->Perform(core::ReleaseCommands{});
  for (std::future<Answer>& call : calls) {
    EXPECT_THAT(call.get().result_order, testing::ElementsAre("node1", "node2"));
  }
}

TEST_F(CommandTest, WhatWaitsForAHandOverIsToldWhenTheAgentStops) {
  node1_->Perform(core::Flush{core::OperationId{1}, core::Replicator::kCommands});
  grpc::ClientContext context;
  auto held = node1_->local().Run(&context, Request("count"));
  ASSERT_TRUE(node1_->brain().WaitForFlushed(1));
  node1_->End();
  EXPECT_FALSE(held->Finish().ok());
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/count"));
}

TEST_F(CommandTest, ListsTheCatalogue) {
  grpc::ClientContext context;
  v1::ListCommandsResponse response;
  ASSERT_TRUE(node2_->local().List(&context, {}, &response).ok());
  ASSERT_EQ(response.commands_size(), 8);
  EXPECT_EQ(response.commands(0).summary(), "Says a word");
  EXPECT_EQ(response.commands(0).arguments(0), "word");
}

TEST_F(CommandTest, WhoeverTheGuardRefusesRunsNothing) {
  node1_->guard().Refuse(absl::PermissionDeniedError("not you"));
  const Answer answer = Run(node1_->local(), "count");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(answer.status.error_message(), "not you");
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/count"));
  grpc::ClientContext context;
  v1::ListCommandsResponse response;
  EXPECT_EQ(node1_->local().List(&context, {}, &response).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(CommandTest, ARunIsAuditedByItsNameAloneOnBothNodes) {
  ASSERT_TRUE(Run(node1_->local(), "say", {{"word", "secret"}}).status.ok());
  EXPECT_EQ(node1_->guard().WaitForEnd(1), "zcluster.v1.CommandService/Run say: OK");
  EXPECT_EQ(node2_->guard().WaitForEnd(1), "zcluster.v1.CommandService/Replicate say: OK");
}

TEST_F(CommandTest, ReplicateIsNotServedToOperators) {
  grpc::ClientContext context;
  EXPECT_EQ(Collect(*node2_->local().Replicate(&context, {})).status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

// A run that waits for a FIFO until the test opens it.
class GateTest : public CommandTest {
 protected:
  GateTest() { EXPECT_EQ(::mkfifo((directory_ + "/gate").c_str(), 0600), 0); }
  void OpenGate() { std::ofstream(directory_ + "/gate") << "go\n"; }
  bool EndedBecomes(size_t count) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (Ended() < count && absl::Now() < deadline) ::poll(nullptr, 0, 1);
    return Ended() == count;
  }
  size_t Ended() {
    std::ifstream file(directory_ + "/ended");
    return static_cast<size_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
  }
};

TEST_F(GateTest, ARunWhoseCallerLeftEndsOnBothNodes) {
  {
    grpc::ClientContext context;
    auto reader = node1_->local().Run(&context, Request("gate"));
    v1::RunEvent event;
    ASSERT_TRUE(reader->Read(&event));  // it has begun
    context.TryCancel();
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  OpenGate();
  EXPECT_TRUE(EndedBecomes(1)) << Ended();  // on node1
  OpenGate();
  EXPECT_TRUE(EndedBecomes(2)) << Ended();  // and on node2
}

TEST_F(GateTest, ARunGoesOnOverANewCatalogue) {
  grpc::ClientContext context;
  auto reader = node1_->local().Run(&context, Request("gate"));
  v1::RunEvent event;
  ASSERT_TRUE(reader->Read(&event));  // it has begun
  ASSERT_TRUE(node1_->Reconfigure({Script("both", "echo new")}, {"/bin/sh"}).ok());
  OpenGate();
  EXPECT_TRUE(EndedBecomes(1)) << Ended();  // on node1
  OpenGate();
  const Answer answer = Collect(*reader);
  EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(Ended(), 2U);  // node2 has it still
}

TEST_F(GateTest, ARevokedCallersRunGoesOnAndIsAuditedAsItEnds) {
  grpc::ClientContext context;
  auto reader = node1_->local().Run(&context, Request("gate"));
  v1::RunEvent event;
  ASSERT_TRUE(reader->Read(&event));
  node1_->guard().Revoke(absl::PermissionDeniedError("revoked"));
  EXPECT_EQ(Collect(*reader).status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  OpenGate();
  EXPECT_TRUE(EndedBecomes(1)) << Ended();
  OpenGate();
  EXPECT_TRUE(EndedBecomes(2)) << Ended();
  EXPECT_EQ(node1_->guard().WaitForEnd(1), "zcluster.v1.CommandService/Run gate: OK");
}

TEST_F(GateTest, TheNinthAtOnceIsRefused) {
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::RunEvent>>> readers;
  v1::RunEvent event;
  for (int i = 0; i < 8; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    readers.push_back(node1_->local().Run(contexts.back().get(), Request("gate")));
    ASSERT_TRUE(readers.back()->Read(&event));
  }
  const Answer answer = Run(node1_->local(), "both");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("node1 already runs 8 commands"));
  node1_->End();  // with all of them under way
  for (auto& reader : readers) {
    while (reader->Read(&event)) continue;
    EXPECT_THAT(reader->Finish().error_message(), HasSubstr("outcome unknown"));
  }
}

TEST_F(CommandTest, ANewCatalogueHoldsAtOnceOnBothSockets) {
  for (Node* node : {node1_.get(), node2_.get()}) {
    const absl::Status status = node->Reconfigure({Script("fresh", "echo new")}, {"/bin/sh"});
    ASSERT_TRUE(status.ok()) << status;
  }
  const Answer answer = Run(node2_->local(), "fresh");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.nodes.at("node1").out, "new\n");
  EXPECT_EQ(answer.nodes.at("node2").out, "new\n");
  EXPECT_EQ(Run(node1_->local(), "both").status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  for (v1::CommandService::Stub* stub : {&node1_->local(), &node1_->peer()}) {
    grpc::ClientContext context;
    v1::ListCommandsResponse list;
    ASSERT_TRUE(stub->List(&context, v1::ListCommandsRequest(), &list).ok());
    ASSERT_EQ(list.commands_size(), 1);
    EXPECT_EQ(list.commands(0).name(), "fresh");
  }
}

TEST_F(CommandTest, ABrokenCatalogueChangesNothing) {
  const absl::Status status = node1_->Reconfigure({{"a", "", {"relative"}, {}}}, {});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("command 'a'"));
  ExpectBothRan(Run(node1_->local(), "both"));
}

TEST(Command, ABrokenCatalogueStopsTheStart) {
  Loop loop;
  test::OpenGuard guard;
  FakeBrain brain;
  Command command(loop, {"node1", "node2", {{"a", "", {"relative"}, {}}}, {}},
                  grpc::CreateChannel("unix:/nonexistent", grpc::InsecureChannelCredentials()),
                  guard);
  EXPECT_THAT(std::string(command.Start(brain).message()), HasSubstr("command 'a'"));
}

}  // namespace
}  // namespace zcluster::command
