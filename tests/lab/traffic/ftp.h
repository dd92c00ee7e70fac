// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "tests/lab/traffic/net.h"
#include "tests/lab/traffic/report.h"

// As much of active FTP as the kernel's helper takes notice of.
namespace zcluster::traffic {

// A control connection that is asked something again and again, and a data connection that was
// announced (PORT) before a mark and is used (RETR) after it. Each step waits for its answer;
// nothing blocks.
class FtpClient {
 public:
  // To port 21 of `host`, IPv4.
  explicit FtpClient(const std::string& host);

  // Goes on where it can.
  void Tick();
  void Mark();
  // It has announced a data connection that it has not used.
  bool ready() const { return step_ == Step::kAnnounced; }
  // `ftp`: answered (on the control connection), data (files that came), since the last mark.
  void Describe(Report& report) const;

 private:
  enum class Step { kBegun, kNamed, kAnnouncing, kAnnounced, kFetching };
  void Ask(const std::string& command);
  bool Answered();
  void Announce();
  bool FileCame();

  Fd control_;
  Fd listener_;
  Fd data_;
  std::string line_, file_;
  Step step_ = Step::kBegun;
  bool waiting_ = true;  // for an answer, the greeting first
  bool marked_ = false;
  uint64_t answered_ = 0, files_ = 0;
};

// The other end: a thread for each control connection.
class FtpServer {
 public:
  FtpServer();
  int fd() const { return listener_.get(); }
  // Takes a connection that waits. The file that it sends is `name`.
  void Serve(const std::string& name);

 private:
  Fd listener_;
};

}  // namespace zcluster::traffic
