// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/bootstrap/stream.h"
#include "common/credential.h"

namespace zcluster::bootstrap {

// The bootstrap port: TLS 1.3, where each caller must show a key, any key. Loop thread.
class Server {
 public:
  // Listens on `listen`, "10.0.0.1:7701"; port 0 lets the kernel choose. The error names the
  // address and why it cannot be had.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const std::string& listen,
                                                       const tls::Credential& credential,
                                                       std::shared_ptr<OpenStreams> streams);
  virtual ~Server() = default;  // ends the streams that are open, and waits a moment for them
  virtual int port() const = 0;
  // Takes no new connection nor stream; those that are open go on. Does not wait.
  virtual void Close() = 0;
  // Whether it has been closed and the last stream has ended.
  virtual bool Ended() const = 0;
};

}  // namespace zcluster::bootstrap
