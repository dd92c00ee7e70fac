// SPDX-License-Identifier: Apache-2.0
// Measures the agent's local socket: how many calls it answers in a second, and how long a program
// takes from its start to its end.
//
//   zcluster-calls rate SOCKET SECONDS CALLERS      calls of ClusterService/Nodes in a second
//   zcluster-calls run COUNT PROGRAM ARGUMENTS...   median and worst of COUNT runs, in ms
#include <grpcpp/grpcpp.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster {
namespace {

int Rate(const std::string& socket, int seconds, int callers) {
  std::atomic<int64_t> answered{0};
  std::atomic<bool> failed{false};
  const absl::Time end = absl::Now() + absl::Seconds(seconds);
  const auto call = [&](int number) {
    // A channel each: with one channel for all, gRPC shares one connection.
    grpc::ChannelArguments arguments;
    arguments.SetInt("zcluster.caller", number);
    const auto stub = v1::ClusterService::NewStub(grpc::CreateCustomChannel(
        "unix:" + socket, grpc::InsecureChannelCredentials(), arguments));
    while (absl::Now() < end && !failed) {
      grpc::ClientContext context;
      v1::NodesResponse response;
      const grpc::Status status = stub->Nodes(&context, v1::NodesRequest(), &response);
      if (!status.ok() || response.nodes().empty()) {
        std::fprintf(stderr, "%s: %s\n", socket.c_str(), status.error_message().c_str());
        failed = true;
      }
      ++answered;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; ++i) threads.emplace_back(call, i);
  for (std::thread& thread : threads) thread.join();
  if (failed) return 1;
  std::printf("%.0f\n", static_cast<double>(answered) / seconds);
  return 0;
}

int Run(int count, char** argv) {
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const absl::Time begin = absl::Now();
    pid_t pid = 0;
    int how = 0;
    if (posix_spawn(&pid, argv[0], nullptr, nullptr, argv, environ) != 0 ||
        waitpid(pid, &how, 0) != pid || how != 0) {
      std::fprintf(stderr, "%s failed\n", argv[0]);
      return 1;
    }
    times.push_back(absl::ToDoubleMilliseconds(absl::Now() - begin));
  }
  std::sort(times.begin(), times.end());
  std::fprintf(stderr, "%.2f %.2f\n", times[times.size() / 2], times.back());
  return 0;
}

int Main(int argc, char** argv) {
  int first = 0, second = 0;
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "rate" && argc == 5 && absl::SimpleAtoi(argv[3], &first) &&
      absl::SimpleAtoi(argv[4], &second)) {
    return Rate(argv[2], first, second);
  }
  if (verb == "run" && argc >= 4 && absl::SimpleAtoi(argv[2], &first) && first > 0) {
    return Run(first, argv + 3);
  }
  std::fprintf(stderr, "usage: zcluster-calls rate SOCKET SECONDS CALLERS | run COUNT PROGRAM ...\n");
  return 2;
}

}  // namespace
}  // namespace zcluster

int main(int argc, char** argv) { return zcluster::Main(argc, argv); }
