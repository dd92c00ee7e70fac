// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/unique_fd.h"

namespace zcluster::test {

// Somebody who speaks to 127.0.0.1:`port` byte by byte, in good or bad manners.
class HttpClient {
 public:
  // Connects from `source`, an address of this machine.
  explicit HttpClient(int port, const std::string& source = "127.0.0.1", int receive_buffer = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    // What only a broken server reaches.
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (receive_buffer > 0) {
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in from = Address(source, 0);
    sockaddr_in to = Address("127.0.0.1", port);
    connected_ = ::bind(fd_.get(), reinterpret_cast<sockaddr*>(&from), sizeof from) == 0 &&
                 ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }

  bool connected() const { return connected_; }

  // False if the other end is gone.
  bool Send(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  // Whether there is something to read, or the end, within `milliseconds`.
  bool Readable(int milliseconds) const {
    pollfd poll{fd_.get(), POLLIN, 0};
    return ::poll(&poll, 1, milliseconds) > 0;
  }

  // All until the other end closes; "(nothing: …)" at the end if it does not.
  std::string ReadAll() {
    std::string all;
    char buffer[65536];
    for (;;) {
      const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (n < 0 && errno != ECONNRESET) absl::StrAppend(&all, "(nothing: ", errno, ")");
      if (n <= 0) return all;
      all.append(buffer, static_cast<size_t>(n));
    }
  }

 private:
  static sockaddr_in Address(const std::string& text, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    ::inet_pton(AF_INET, text.c_str(), &address.sin_addr);
    return address;
  }

  UniqueFd fd_;
  bool connected_ = false;
};

// The whole answer to one request, headers included.
inline std::string Ask(int port, absl::string_view method, absl::string_view path,
                       const std::string& source = "127.0.0.1") {
  HttpClient client(port, source);
  client.Send(absl::StrCat(method, " ", path, " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  return client.ReadAll();
}

// What comes after the headers.
inline std::string BodyOf(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace zcluster::test
