// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/conntrack/table.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/status.h"
#include "tests/bench/conntrack/netns.h"
#include "tests/bench/conntrack/numbering.h"

namespace zcluster::conntrack_bench {
namespace {

constexpr uint32_t kStatus =
    IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED | IPS_SRC_NAT | IPS_DST_NAT;
constexpr size_t kPart = 256 << 10;

// libmnl's loops are C macros with casts that C++ refuses.
template <typename Visit>
void Each(const void* begin, size_t size, Visit visit) {
  int left = static_cast<int>(size);
  for (const auto* at = static_cast<const nlattr*>(begin); mnl_attr_ok(at, left);
       left -= MNL_ALIGN(at->nla_len), at = mnl_attr_next(at)) {
    visit(*at);
  }
}
template <typename Visit>
void EachIn(const nlattr& nest, Visit visit) {
  Each(mnl_attr_get_payload(&nest), mnl_attr_get_payload_len(&nest), visit);
}
template <typename Visit>
void EachOf(const nlmsghdr& message, Visit visit) {
  constexpr size_t kHeader = sizeof(nfgenmsg);
  if (mnl_nlmsg_get_payload_len(&message) < kHeader) return;
  Each(mnl_nlmsg_get_payload_offset(&message, kHeader),
       mnl_nlmsg_get_payload_len(&message) - kHeader, visit);
}

void Append(std::string& record, const nlattr& attribute) {
  record.push_back(static_cast<char>(mnl_attr_get_type(&attribute)));
  record.append(static_cast<const char*>(mnl_attr_get_payload(&attribute)),
                mnl_attr_get_payload_len(&attribute));
}

// TCP: its state alone, for windows and flags are each kernel's own. Others: all there is.
void AppendState(std::string& record, const nlattr& info) {
  EachIn(info, [&](const nlattr& protocol) {
    if (mnl_attr_get_type(&protocol) != CTA_PROTOINFO_TCP) return Append(record, protocol);
    EachIn(protocol, [&](const nlattr& part) {
      if (mnl_attr_get_type(&part) == CTA_PROTOINFO_TCP_STATE) Append(record, part);
    });
  });
}

// The kernel gives attributes in one order always.
std::string RecordOf(const nlmsghdr& message) {
  std::string record;
  record.reserve(160);
  EachOf(message, [&](const nlattr& attribute) {
    switch (mnl_attr_get_type(&attribute)) {
      case CTA_TUPLE_ORIG:
      case CTA_TUPLE_REPLY:
      case CTA_ZONE:
      case CTA_MARK:
        return Append(record, attribute);
      case CTA_STATUS:
        return absl::StrAppend(&record, "s", ntohl(mnl_attr_get_u32(&attribute)) & kStatus);
      case CTA_PROTOINFO:
        return AppendState(record, attribute);
      default:
        return;
    }
  });
  return record;
}

absl::Status AskForAll(const Socket& socket) {
  alignas(nlmsghdr) char buffer[256];
  nlmsghdr* message = mnl_nlmsg_put_header(buffer);
  message->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  auto* family = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  family->nfgen_family = AF_UNSPEC;
  family->version = NFNETLINK_V0;
  if (mnl_socket_sendto(socket.get(), message, message->nlmsg_len) < 0)
    return ErrnoStatus("cannot ask for the table");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Socket> OpenSocket(unsigned groups, int buffer) {
  Socket socket(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC), &mnl_socket_close);
  if (socket == nullptr) return ErrnoStatus("cannot open a netfilter socket");
  const int fd = mnl_socket_get_fd(socket.get());
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0 ||
      mnl_socket_bind(socket.get(), groups, MNL_SOCKET_AUTOPID) != 0)
    return ErrnoStatus("cannot bind a netfilter socket");
  return socket;
}

absl::optional<uint64_t> NumberIn(const nlmsghdr& message) {
  uint32_t client = 0;
  uint16_t port = 0;
  EachOf(message, [&](const nlattr& attribute) {
    if (mnl_attr_get_type(&attribute) != CTA_TUPLE_ORIG) return;
    EachIn(attribute, [&](const nlattr& part) {
      EachIn(part, [&](const nlattr& value) {
        if (mnl_attr_get_type(&part) == CTA_TUPLE_IP && mnl_attr_get_type(&value) == CTA_IP_V4_SRC)
          client = ntohl(mnl_attr_get_u32(&value));
        if (mnl_attr_get_type(&part) == CTA_TUPLE_PROTO &&
            mnl_attr_get_type(&value) == CTA_PROTO_SRC_PORT)
          port = ntohs(mnl_attr_get_u16(&value));
      });
    });
  });
  if (client < kFirstClient || port < kFirstPort) return absl::nullopt;
  return NumberOf(client, port);
}

absl::StatusOr<std::vector<std::string>> ReadTable(const std::string& netns) {
  ZC_RETURN_IF_ERROR(Enter(netns));
  ZC_ASSIGN_OR_RETURN(const Socket socket, OpenSocket(0, 8 << 20));
  ZC_RETURN_IF_ERROR(AskForAll(socket));
  std::vector<std::string> table;
  std::vector<char> part(kPart);
  for (;;) {
    const ssize_t size = mnl_socket_recvfrom(socket.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return ErrnoStatus("cannot read the table");
    int left = static_cast<int>(size);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(part.data());
         mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
      if (message->nlmsg_type == NLMSG_ERROR)
        return absl::InternalError("the kernel refuses to tell its table");
      if (message->nlmsg_type == NLMSG_DONE) {
        std::sort(table.begin(), table.end());
        // A table that is rehashed or resized while it is read tells some flows twice.
        table.erase(std::unique(table.begin(), table.end()), table.end());
        return table;
      }
      table.push_back(RecordOf(*message));
    }
  }
}

Difference Compare(const std::vector<std::string>& first, const std::vector<std::string>& second) {
  Difference difference{first.size(), second.size(), 0, 0};
  auto a = first.begin(), b = second.begin();
  while (a != first.end() || b != second.end()) {
    if (b == second.end() || (a != first.end() && *a < *b)) {
      ++difference.only_first;
      ++a;
    } else if (a == first.end() || *b < *a) {
      ++difference.only_second;
      ++b;
    } else {
      ++a;
      ++b;
    }
  }
  return difference;
}

absl::StatusOr<uint64_t> Count(const std::string& netns) {
  ZC_RETURN_IF_ERROR(Enter(netns));
  constexpr char kFile[] = "/proc/sys/net/netfilter/nf_conntrack_count";
  constexpr size_t kLongest = 32;
  ZC_ASSIGN_OR_RETURN(const std::string text, ReadFile(kFile, kLongest));
  uint64_t count = 0;
  if (!absl::SimpleAtoi(text, &count)) return absl::InternalError(absl::StrCat(kFile, ": ", text));
  return count;
}

}  // namespace zcluster::conntrack_bench
