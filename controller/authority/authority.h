// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/identity.h"
#include "common/loop.h"
#include "common/pki.h"
#include "common/tls.h"

namespace zcluster::controller {

// The fleet's CA and this controller's own certificate, in one directory (common/identity.h). Made
// at the first start, and renewed before they end, with every stream up. Loop thread; the files are
// small.
class Authority {
 public:
  struct Options {
    std::string directory;
    std::string fleet;        // in every certificate; fixed by the first start
    std::string name;         // this controller's
    absl::Duration lifetime;  // of this controller's certificate
  };
  // FAILED_PRECONDITION: the directory is of another fleet. A controller that got another name gets
  // another certificate. `loop` outlives this.
  static absl::StatusOr<std::unique_ptr<Authority>> Open(Loop& loop, Options options);

  // Where the present ones are, for TLS.
  tls::Files files() const { return identity::FilesIn(kept_.directory); }

  // A certificate for the key of `request`. INVALID_ARGUMENT if the request is not good.
  absl::StatusOr<std::string> Sign(const std::string& request, const pki::Terms& terms) const;
  // The CA's certificate as it is now, PEM; empty if it cannot be read.
  std::string Ca() const;

 private:
  Authority(Loop& loop, Options options);
  void Look();

  Loop& loop_;
  const identity::Kept kept_;
  std::string problem_;  // as logged last
  Loop::Registration timer_;
};

}  // namespace zcluster::controller
