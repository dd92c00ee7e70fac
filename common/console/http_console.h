// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/console/http_server.h"
#include "common/console/metrics.h"
#include "common/loop.h"

namespace zcluster::http_console {

// What a daemon has to say. Both are called on the console's own thread, at each request, and must
// not wait for the loop: they read what the loop has left for them.
struct Content {
  std::function<void(Metrics&)> measure;
  // What is wrong enough for /healthz to say so, a sentence each without line breaks; empty:
  // nothing.
  std::function<std::vector<std::string>()> problems;
};

struct Options {
  std::string program;  // "zagent"
  std::string version;
  std::string listen;  // ADDRESS:PORT or "off"
  // A port that is taken is tried again so often.
  absl::Duration retry = absl::Seconds(10);
  // A loop that has not run for so long hangs. What is normal is milliseconds.
  absl::Duration hung_after = absl::Seconds(5);
};

// /metrics and /healthz of a daemon, over plain HTTP, on a thread of its own: both answer while the
// loop hangs, and nobody who asks can make the loop wait. Loop thread.
//   /metrics  what Content measures, the build, the loop, the process: Prometheus' text format
//   /healthz  200 "ok", or 503 and one sentence a line: the loop hangs, or a problem of Content
class HttpConsole {
 public:
  // Serves at once if it can. If not, a warning names the address and why, and it is tried again:
  // a daemon must not fail for that.
  HttpConsole(Loop& loop, Options options, Content content);
  // No function of Content runs when it returns.
  ~HttpConsole();
  HttpConsole(const HttpConsole&) = delete;
  HttpConsole& operator=(const HttpConsole&) = delete;

  // The port that is served at present; 0: none.
  int port() const { return server_ == nullptr ? 0 : server_->port(); }

 private:
  void Listen();
  void Beat();
  // Since the loop has run last. Any thread.
  absl::Duration SilenceOfLoop() const;
  Page MetricsPage() const;
  Page HealthPage() const;

  Loop& loop_;
  const Options options_;
  const Content content_;
  std::atomic<int64_t> beat_ns_{0};  // Loop::Now() when the loop ran last
  std::string problem_;              // why it does not listen, as it was logged last
  Loop::Registration beats_;
  Loop::Registration retry_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace zcluster::http_console
