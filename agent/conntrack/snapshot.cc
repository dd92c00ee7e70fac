// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/snapshot.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/conntrack/message.h"
#include "agent/conntrack/parse.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

// The kernel makes parts of at most 32 KiB, whatever the reader has room for.
constexpr size_t kPart = 64 << 10;

}  // namespace

absl::Status Snapshot::Begin(bool labels) {
  Abandon();
  labels_ = labels;
  ZC_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::Open());
  alignas(nlmsghdr) char request[kMaxMessage];
  ZC_RETURN_IF_ERROR(socket.Send(request, PutDump(request, 1)));
  socket_ = std::make_unique<NetlinkSocket>(std::move(socket));
  part_.resize(kPart);
  return absl::OkStatus();
}

absl::StatusOr<bool> Snapshot::Next(std::vector<Flow>& flows) {
  absl::StatusOr<bool> more = Read(flows);
  if (!more.ok() || !*more) Abandon();
  return more;
}

absl::StatusOr<bool> Snapshot::Read(std::vector<Flow>& flows) {
  ssize_t size = 0;
  do {
    size = ::recv(socket_->fd(), part_.data(), part_.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return ErrnoStatus("cannot read the kernel's conntrack table");
  int left = static_cast<int>(size);
  for (const auto* message = reinterpret_cast<const nlmsghdr*>(part_.data());
       mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
    if (message->nlmsg_type == NLMSG_DONE) return false;
    if (message->nlmsg_type == NLMSG_ERROR) {
      int error = 0;
      if (message->nlmsg_len >= NLMSG_LENGTH(sizeof error))
        std::memcpy(&error, mnl_nlmsg_get_payload(message), sizeof error);
      return ErrnoStatus("the kernel refuses to list its conntrack table", -error);
    }
    Flow flow;
    if (ParseFlow(*message, flow, labels_)) flows.push_back(flow);
  }
  return true;
}

}  // namespace zcluster::conntrack
