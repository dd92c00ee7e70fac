// SPDX-License-Identifier: Apache-2.0
#include "common/console/http_server.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "common/listen.h"
#include "common/loop.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::http_console {
namespace {

// Holds a request's line and headers, and ours; a request that needs more is refused (414, 431).
constexpr size_t kMemoryPerConnection = 8 << 10;
// Below whatever keeps the pair alive: whoever asks without pause gets what is left over.
constexpr int kNice = 10;

struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
};

struct DestroyResponse {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};

int PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

class MicroHttpServer : public HttpServer {
 public:
  MicroHttpServer(std::map<std::string, Render> pages, const Bounds& bounds)
      : pages_(std::move(pages)), bounds_(bounds) {}

  absl::Status Begin(const std::string& listen) {
    ZC_ASSIGN_OR_RETURN(UniqueFd fd, ListenOn(listen));
    port_ = PortOf(fd.get());
    stop_.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!stop_) return ErrnoStatus("eventfd");
    // Its own threads would leave the life of a connection to it, which knows a bound for silence
    // only: a byte now and then would hold one for ever. So ours drives it.
    daemon_.reset(
        MHD_start_daemon(MHD_USE_EPOLL, /*port=*/0, nullptr, nullptr, &MicroHttpServer::Answer,
                         this, MHD_OPTION_LISTEN_SOCKET, fd.get(),                             //
                         MHD_OPTION_CONNECTION_LIMIT, bounds_.connections,                     //
                         MHD_OPTION_PER_IP_CONNECTION_LIMIT, bounds_.connections_per_address,  //
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, kMemoryPerConnection,             //
                         MHD_OPTION_STRICT_FOR_CLIENT, 1,                                      //
                         MHD_OPTION_NOTIFY_CONNECTION, &MicroHttpServer::Noted, this,          //
                         MHD_OPTION_END));
    if (daemon_ == nullptr)
      return absl::InternalError(absl::StrCat("cannot serve HTTP on ", listen, ": out of memory"));
    fd.Release();  // the daemon closes it
    const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD);
    if (info == nullptr || info->epoll_fd < 0)
      return absl::InternalError("libmicrohttpd was built without epoll");
    epoll_ = info->epoll_fd;
    thread_ = std::thread([this] { Serve(); });
    return absl::OkStatus();
  }

  ~MicroHttpServer() override {
    if (!thread_.joinable()) return;
    ::eventfd_write(stop_.get(), 1);
    thread_.join();
  }

  int port() const override { return port_; }

 private:
  struct Open {
    MHD_Connection* connection;
    int fd;
    absl::Time until;
  };

  void Serve() {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNice);
    pollfd fds[] = {{epoll_, POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    while (fds[1].revents == 0) {
      do {
        closed_ = false;
        MHD_run(daemon_.get());
        // At its limit it does not listen, and begins again only in a round after the one that
        // closed something.
      } while (closed_);
      const absl::Duration left = CutOverdue(Loop::Now());
      // Rounded up: else it would turn in the last millisecond.
      const int64_t wait = left == absl::InfiniteDuration() ? -1 : left / absl::Milliseconds(1) + 1;
      ::poll(fds, 2, static_cast<int>(PendingWithin(wait)));
    }
  }

  // The shorter one of `wait` (in ms; -1: for ever) and what the daemon wants.
  int64_t PendingWithin(int64_t wait) {
    MHD_UNSIGNED_LONG_LONG wanted = 0;
    if (MHD_get_timeout(daemon_.get(), &wanted) != MHD_YES) return wait;
    return wait < 0 ? static_cast<int64_t>(wanted) : std::min(wait, static_cast<int64_t>(wanted));
  }

  // Ends what has lived too long. Returns for how long there is nothing to end.
  absl::Duration CutOverdue(absl::Time now) {
    absl::Duration left = absl::InfiniteDuration();
    for (Open& open : open_) {
      if (open.until <= now) {
        // The daemon sees it as the client's going away.
        ::shutdown(open.fd, SHUT_RDWR);
        open.until = absl::InfiniteFuture();
      }
      left = std::min(left, open.until - now);
    }
    return left;
  }

  // A connection begins or ends; its descriptor is open in both cases.
  static void Noted(void* self, MHD_Connection* connection, void** /*context*/,
                    MHD_ConnectionNotificationCode what) {
    auto& server = *static_cast<MicroHttpServer*>(self);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
      const int fd =
          MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
      server.open_.push_back({connection, fd, Loop::Now() + server.bounds_.connection_life});
    } else {
      server.closed_ = true;
      server.open_.erase(
          std::remove_if(server.open_.begin(), server.open_.end(),
                         [&](const Open& open) { return open.connection == connection; }),
          server.open_.end());
    }
  }

  // A request's headers are complete. A body is never read: the answer is queued before it, and
  // the connection ends after it.
  static MHD_Result Answer(void* self, MHD_Connection* connection, const char* path,
                           const char* method, const char* /*version*/, const char* /*body*/,
                           size_t* /*body_size*/, void** /*context*/) {
    const Page page = static_cast<MicroHttpServer*>(self)->PageFor(path, method);
    const std::unique_ptr<MHD_Response, DestroyResponse> response(MHD_create_response_from_buffer(
        page.body.size(), const_cast<char*>(page.body.data()), MHD_RESPMEM_MUST_COPY));
    if (response == nullptr) return MHD_NO;
    const auto add = [&response](const char* name, const char* value) {
      MHD_add_response_header(response.get(), name, value);
    };
    add("Content-Type", page.content_type.c_str());
    add("Cache-Control", "no-store");
    add("Connection", "close");
    if (page.code == MHD_HTTP_METHOD_NOT_ALLOWED) add("Allow", "GET, HEAD");
    return MHD_queue_response(connection, static_cast<unsigned>(page.code), response.get());
  }

  Page PageFor(const std::string& path, absl::string_view method) const {
    const auto found = pages_.find(path);
    if (found == pages_.end()) {
      std::string body = "not found; there is:\n";
      for (const auto& [known, render] : pages_) body += known + "\n";
      return {MHD_HTTP_NOT_FOUND, "text/plain; charset=utf-8", std::move(body)};
    }
    if (method != "GET" && method != "HEAD") {
      return {MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain; charset=utf-8",
              "this page can only be read: GET or HEAD\n"};
    }
    return found->second();
  }

  const std::map<std::string, Render> pages_;
  const Bounds bounds_;
  int port_ = 0;
  int epoll_ = -1;          // of daemon_
  std::vector<Open> open_;  // at most bounds_.connections; server's thread, as long as there is one
  bool closed_ = false;     // a connection has ended in this round
  UniqueFd stop_;
  std::unique_ptr<MHD_Daemon, StopDaemon> daemon_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& listen,
                                                              std::map<std::string, Render> pages,
                                                              const Bounds& bounds) {
  auto server = std::make_unique<MicroHttpServer>(std::move(pages), bounds);
  ZC_RETURN_IF_ERROR(server->Begin(listen));
  return server;
}

}  // namespace zcluster::http_console
