// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/heartbeat/options.h"
#include "common/unique_fd.h"

namespace zcluster::heartbeat {

// Hears whether the peer says that it is master, beside keepalived, which may be deaf: adverts of
// our router from the peer's address, with a priority above zero, behind every packet filter. On a
// master, none come in and nothing is spent. One thread.
class PeerAdverts {
 public:
  // `options` outlive this, and may change.
  explicit PeerAdverts(const Options& options) : options_(options) {}

  // Whether any came since the last call; false the first time. False, too, where that cannot be
  // known.
  bool Take();

 private:
  // False: not now.
  bool Open();

  const Options& options_;
  UniqueFd socket_;
  int router_id_ = 0;  // that the socket hears
};

}  // namespace zcluster::heartbeat
