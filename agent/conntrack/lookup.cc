// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/lookup.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "agent/conntrack/message.h"
#include "agent/conntrack/parse.h"
#include "common/status.h"

namespace zcluster::conntrack {

absl::StatusOr<absl::optional<Flow>> Lookup(const NetlinkSocket& socket, uint32_t sequence,
                                            const FlowKey& key, bool labels) {
  alignas(nlmsghdr) std::array<char, 4096> bytes;
  ZC_RETURN_IF_ERROR(socket.Send(bytes.data(), PutGet(bytes.data(), sequence, key)));
  for (;;) {
    const ssize_t size = ::recv(socket.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return ErrnoStatus("no answer from the kernel's conntrack");
    int left = static_cast<int>(size);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(bytes.data());
         mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
      if (message->nlmsg_seq != sequence) continue;
      if (message->nlmsg_type == NLMSG_ERROR) return absl::nullopt;
      Flow flow;
      if (ParseFlow(*message, flow, labels)) return flow;
      return absl::nullopt;
    }
  }
}

}  // namespace zcluster::conntrack
