// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace zcluster::http_console {

// What a path answers.
struct Page {
  int code = 200;
  std::string content_type;
  std::string body;
};

// Serves a few pages over plain HTTP/1.1, for GET and HEAD, on one thread of its own. Whoever
// connects is hostile: each gets one answer, its share of the connections, and not more than a
// bounded time from the first byte to the last, however it spends it. Any thread.
class HttpServer {
 public:
  // Makes a page for one request, on the server's thread. While it runs, everybody else waits.
  using Render = std::function<Page()>;

  struct Bounds {
    // Prometheus needs one or two at a time.
    unsigned connections = 16;
    // So that no address has them all.
    unsigned connections_per_address = 4;
    // From accepting a connection to its end.
    absl::Duration connection_life = absl::Seconds(5);
  };

  // Listens on `listen`, ADDRESS:PORT, and serves `pages` by their paths. Anything else is not
  // found. The error names `listen` and why.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& listen,
                                                           std::map<std::string, Render> pages,
                                                           const Bounds& bounds);
  // Closes the port and all connections; no Render runs when it returns.
  virtual ~HttpServer() = default;

  // The port that it listens on.
  virtual int port() const = 0;
};

}  // namespace zcluster::http_console
