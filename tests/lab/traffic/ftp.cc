// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/traffic/ftp.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstdio>
#include <thread>
#include <utility>

namespace zcluster::traffic {
namespace {

constexpr uint16_t kFtpPort = 21, kFtpDataPort = 20;

Endpoint Any(uint16_t port) {
  Endpoint any;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&any.address);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(port);
  any.size = sizeof *v4;
  return any;
}

Fd Listen(uint16_t port) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) DieErrno("socket");
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const Endpoint any = Any(port);
  if (bind(fd.get(), any.get(), any.size) != 0 || listen(fd.get(), 16) != 0)
    DieErrno("listen at port " + std::to_string(port));
  return fd;
}

sockaddr_in OwnAddress(int fd) {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size);
  return own;
}

bool SendAll(int fd, const std::string& text) {
  return send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// A line of a socket that blocks, without its end; false at the end of the connection.
bool ReadLine(int fd, std::string& line) {
  line.clear();
  char c = 0;
  while (recv(fd, &c, 1, 0) == 1) {
    if (c == '\n') return true;
    if (c != '\r') line += c;
  }
  return false;
}

// Connects to where a PORT command says, from FTP's data port, and sends `name`.
void SendFile(const std::string& port_command, const std::string& name) {
  unsigned a = 0, b = 0, c = 0, d = 0, high = 0, low = 0;
  if (std::sscanf(port_command.c_str(), "PORT %u,%u,%u,%u,%u,%u", &a, &b, &c, &d, &high, &low) != 6)
    return;
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const Endpoint own = Any(kFtpDataPort);
  if (bind(fd.get(), own.get(), own.size) != 0) return;
  Endpoint to = Any(static_cast<uint16_t>(high << 8 | low));
  reinterpret_cast<sockaddr_in*>(&to.address)->sin_addr.s_addr =
      htonl(a << 24 | b << 16 | c << 8 | d);
  if (connect(fd.get(), to.get(), to.size) == 0) SendAll(fd.get(), name);
}

void Converse(Fd fd, const std::string& name) {
  std::string line, announced;
  if (!SendAll(fd.get(), "220 " + name + "\r\n")) return;
  while (ReadLine(fd.get(), line)) {
    if (line.starts_with("PORT ")) announced = line;
    // The answer first: it must not depend on the data connection's fate.
    if (!SendAll(fd.get(), "200 well\r\n")) return;
    if (line == "RETR") std::thread(SendFile, announced, name).detach();
  }
}

}  // namespace

FtpClient::FtpClient(const std::string& host)
    : control_(ConnectTcp(ParseEndpoint(host + ":" + std::to_string(kFtpPort)))) {}

void FtpClient::Ask(const std::string& command) {
  waiting_ = SendAll(control_.get(), command + "\r\n") || waiting_;
}

// Whether the answer that was waited for is here.
bool FtpClient::Answered() {
  char c = 0;
  while (waiting_ && recv(control_.get(), &c, 1, MSG_DONTWAIT) == 1) {
    if (c == '\n') waiting_ = false;
  }
  return !waiting_;
}

void FtpClient::Announce() {
  listener_ = Listen(0);
  data_.Close();
  const uint32_t own = ntohl(OwnAddress(control_.get()).sin_addr.s_addr);
  const uint16_t port = ntohs(OwnAddress(listener_.get()).sin_port);
  char text[64];
  std::snprintf(text, sizeof text, "PORT %u,%u,%u,%u,%u,%u", own >> 24, own >> 16 & 0xff,
                own >> 8 & 0xff, own & 0xff, static_cast<unsigned>(port >> 8),
                static_cast<unsigned>(port & 0xff));
  Ask(text);
}

bool FtpClient::FileCame() {
  if (!data_.valid())
    data_ = Fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!data_.valid()) return false;
  char bytes[64];
  const ssize_t size = recv(data_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (size > 0) file_.append(bytes, static_cast<size_t>(size));
  return size == 0 && !std::exchange(file_, "").empty();
}

void FtpClient::Tick() {
  if (!Answered()) return;
  ++answered_;
  switch (step_) {
    case Step::kBegun:
      // The kernel's helper reads nothing before the first whole line.
      step_ = Step::kNamed;
      return Ask("USER zlab");
    case Step::kNamed:
      Announce();
      step_ = Step::kAnnouncing;
      return;
    case Step::kAnnouncing:
      step_ = Step::kAnnounced;
      break;
    case Step::kAnnounced:
      if (!std::exchange(marked_, false)) break;
      step_ = Step::kFetching;
      return Ask("RETR");
    case Step::kFetching:
      if (!FileCame()) break;
      ++files_;
      Announce();
      step_ = Step::kAnnouncing;
      return;
  }
  Ask("NOOP");
}

void FtpClient::Mark() {
  answered_ = files_ = 0;
  marked_ = true;
}

void FtpClient::Describe(Report& report) const {
  report.AddJson("ftp", Report().Add("answered", answered_).Add("data", files_).Json());
}

FtpServer::FtpServer() : listener_(Listen(kFtpPort)) {}

void FtpServer::Serve(const std::string& name) {
  for (;;) {
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd.valid()) return;
    std::thread(Converse, std::move(fd), name).detach();
  }
}

}  // namespace zcluster::traffic
