// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

extern char** environ;

namespace zcluster::lab {
namespace {

pid_t Spawn(const std::vector<std::string>& argv, const std::array<int, 3>& standard) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int i = 0; i < 3; ++i) {
    posix_spawn_file_actions_adddup2(&actions, standard[static_cast<size_t>(i)], i);
  }
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + argv[0] + ": " + std::strerror(error));
  return pid;
}

int CodeOf(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    read = ends[0];
    write = ends[1];
  }
  int read;
  int write;
};

// Feeds and drains all three at once, so that a full pipe never stops both sides.
void Converse(int input_fd, const std::string& input, int out_fd, int err_fd, Outcome& outcome) {
  size_t written = 0;
  if (input.empty()) {
    close(input_fd);
    input_fd = -1;
  }
  while (out_fd >= 0 || err_fd >= 0) {
    std::array<pollfd, 3> fds{{{out_fd, POLLIN, 0}, {err_fd, POLLIN, 0}, {input_fd, POLLOUT, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    auto drain = [](const pollfd& ready, int& fd, std::string& into) {
      if (fd < 0 || ready.revents == 0) return;
      std::array<char, 8192> data;
      const ssize_t count = read(fd, data.data(), data.size());
      if (count > 0) {
        into.append(data.data(), static_cast<size_t>(count));
      } else {
        close(fd);
        fd = -1;
      }
    };
    drain(fds[0], out_fd, outcome.out);
    drain(fds[1], err_fd, outcome.err);
    if (input_fd < 0 || fds[2].revents == 0) continue;
    const ssize_t count = write(input_fd, input.data() + written, input.size() - written);
    if (count > 0) written += static_cast<size_t>(count);
    if (count <= 0 || written == input.size()) {
      close(input_fd);
      input_fd = -1;
    }
  }
  if (input_fd >= 0) close(input_fd);
}

}  // namespace

Outcome RunCommand(const std::vector<std::string>& argv, const std::string& input) {
  std::signal(SIGPIPE,
              SIG_IGN);  // a command that ends without reading its input is no reason to die
  Pipe in, out, err;
  const pid_t pid = Spawn(argv, {in.read, out.write, err.write});
  for (int fd : {in.read, out.write, err.write}) close(fd);
  fcntl(in.write, F_SETFL, O_NONBLOCK);
  Outcome outcome;
  Converse(in.write, input, out.read, err.read, outcome);
  outcome.code = CodeOf(pid);
  return outcome;
}

Background::Background(const std::vector<std::string>& argv) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  pid_ = Spawn(argv, {null, null, null});
  close(null);
}

int Background::Wait() {
  if (pid_ >= 0) {
    code_ = CodeOf(pid_);
    pid_ = -1;
  }
  return code_;
}

}  // namespace zcluster::lab
