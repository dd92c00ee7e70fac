// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/conntrack/events.h"

#include <linux/netfilter/nfnetlink_compat.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/status.h"
#include "tests/bench/conntrack/netns.h"

namespace zcluster::conntrack_bench {
namespace {

constexpr size_t kSlots = 64;
constexpr size_t kSlotBytes = 2048;  // an event has some 250
constexpr int kBuffer = 64 << 20;

}  // namespace

// Room for one recvmmsg(2).
struct Events::Ring {
  Ring() {
    for (size_t i = 0; i < kSlots; ++i) {
      parts[i] = {bytes[i].data(), kSlotBytes};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
  alignas(8) std::array<std::array<char, kSlotBytes>, kSlots> bytes;
  std::array<iovec, kSlots> parts{};
  std::array<mmsghdr, kSlots> messages{};
};

absl::StatusOr<std::unique_ptr<Events>> Events::Open(absl::Duration nap) {
  ZC_ASSIGN_OR_RETURN(Socket socket, OpenSocket(NF_NETLINK_CONNTRACK_NEW, kBuffer));
  return std::unique_ptr<Events>(new Events(std::move(socket), nap));
}

Events::Events(Socket socket, absl::Duration nap)
    : socket_(std::move(socket)), nap_(nap), ring_(std::make_shared<Ring>()) {}

int Events::Read(const std::function<void(const nlmsghdr& event)>& heard) {
  const int count = ::recvmmsg(mnl_socket_get_fd(socket_.get()), ring_->messages.data(), kSlots,
                               MSG_DONTWAIT, nullptr);
  if (count < 0 && errno == ENOBUFS) ++overruns_;
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<size_t>(i);
    int left = static_cast<int>(ring_->messages[at].msg_len);
    for (const auto* event = reinterpret_cast<const nlmsghdr*>(ring_->bytes[at].data());
         mnl_nlmsg_ok(event, left); event = mnl_nlmsg_next(event, &left)) {
      heard(*event);
    }
  }
  return count;
}

int Events::Wait(absl::Duration patience, const std::function<void(const nlmsghdr& event)>& heard) {
  if (const int count = Read(heard); count > 0) return count;
  pollfd watched{mnl_socket_get_fd(socket_.get()), POLLIN, 0};
  if (::poll(&watched, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) <= 0) return 0;
  if (nap_ > absl::ZeroDuration()) SleepUntil(NowNs() + absl::ToInt64Nanoseconds(nap_));
  return Read(heard);
}

}  // namespace zcluster::conntrack_bench
