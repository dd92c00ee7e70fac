// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/unique_fd.h"

namespace zcluster::conntrack {

// A NETLINK_NETFILTER socket. It belongs for life to the network namespace of the thread that opens
// it.
class NetlinkSocket {
 public:
  // Bound to a port id of its own, no groups. PERMISSION_DENIED and the like name the remedy.
  static absl::StatusOr<NetlinkSocket> Open();

  int fd() const { return fd_.get(); }
  // The number by which the kernel names this socket as the cause of an event.
  uint32_t port() const { return port_; }

  // Sizes beyond rmem_max and wmem_max, which root may. The kernel doubles the value for its own
  // bookkeeping.
  absl::Status SetReceiveBuffer(int bytes);
  absl::Status SetSendBuffer(int bytes);

  // Error replies carry only the header of what they are about, not all of it.
  absl::Status ShortenErrors();

  // Events that do not fit are kept back and sent again, if they tell of a flow's end (STACK: with
  // it 20,000 of 20,000 ends arrived in a buffer for 332). What else was lost still shows as
  // ENOBUFS.
  absl::Status KeepLostEnds();

  // Joins the groups of new, changed and ended flows, and of expectations. What `program` (see
  // EventProgram) does not let pass never wakes us: it is dropped in the kernel.
  absl::Status JoinConntrackEvents(absl::Span<const sock_filter> program);

  // Sends `size` bytes of whole messages to the kernel, which has handled them all when this
  // returns.
  absl::Status Send(const void* messages, size_t size) const;

 private:
  UniqueFd fd_;
  uint32_t port_ = 0;
};

}  // namespace zcluster::conntrack
