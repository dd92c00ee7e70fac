// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/expectation_message.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/conntrack/message.h"
#include "agent/conntrack/netlink.h"
#include "agent/conntrack/tuple.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

constexpr size_t kPart = 64 << 10;  // the kernel makes parts of at most 32 KiB

nlmsghdr* PutHeader(void* at, int kind, int flags, uint32_t sequence, uint8_t family) {
  return conntrack::PutHeader(at, NFNL_SUBSYS_CTNETLINK_EXP, kind, flags, sequence, family);
}

// As much of a name as fits, and ended.
template <typename Name>
void ReadName(const nlattr& attribute, Name& name) {
  const auto* text = static_cast<const char*>(mnl_attr_get_payload(&attribute));
  const size_t size = std::min<size_t>(mnl_attr_get_payload_len(&attribute), name.size() - 1);
  std::copy_n(text, strnlen(text, size), name.begin());
}

void ReadNat(const nlattr& nest, Expectation::What& what) {
  ForEachIn(nest, [&](const nlattr& attribute) {
    switch (mnl_attr_get_type(&attribute)) {
      case CTA_EXPECT_NAT_DIR:
        what.nat_direction = Read32(attribute);
        break;
      case CTA_EXPECT_NAT_TUPLE: {
        const Tuple saved = ReadTuple(attribute);
        what.nat_address = saved.ends.source;
        what.nat_port = saved.ends.source_port;
        break;
      }
      default:
        break;
    }
  });
}

// The three by which the kernel knows it.
void PutWhich(nlmsghdr* header, const Expectation::What& what) {
  Address all;
  all.fill(0xff);
  PutTuple(header, CTA_EXPECT_MASTER, what.master, EndsOf(what.master));
  PutTuple(header, CTA_EXPECT_TUPLE, what.key, EndsOf(what.key));
  PutTuple(header, CTA_EXPECT_MASK, what.key,
           {what.source_mask, all, what.source_port_mask, 0xffff});
}

void PutNat(nlmsghdr* header, const Expectation::What& what) {
  if (what.nat_direction == Expectation::kNoNat) return;
  nlattr* nat = mnl_attr_nest_start(header, CTA_EXPECT_NAT);
  mnl_attr_put_u32(header, CTA_EXPECT_NAT_DIR, htonl(what.nat_direction));
  PutTuple(header, CTA_EXPECT_NAT_TUPLE, what.master, {what.nat_address, {}, what.nat_port, 0});
  mnl_attr_nest_end(header, nat);
}

// The kernel tells the master's helper, and takes the one that the new flow is to have. Few kinds
// of flows are to have one: SIP's signalling (permanent); and only with it can another group be
// named.
bool NamesHelper(const Expectation::What& what) {
  return what.helper[0] != 0 && (what.group != 0 || (what.flags & NF_CT_EXPECT_PERMANENT) != 0);
}

}  // namespace

bool ParseExpectation(const nlmsghdr& message, Expectation& expectation) {
  constexpr size_t kHeader = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
  if (message.nlmsg_len < kHeader || message.nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK_EXP)
    return false;
  const int kind = message.nlmsg_type & 0xff;
  if (kind != IPCTNL_MSG_EXP_NEW && kind != IPCTNL_MSG_EXP_DELETE) return false;

  expectation = Expectation{};
  expectation.gone = kind == IPCTNL_MSG_EXP_DELETE;
  Expectation::What& what = expectation.what;
  Tuple flow, master;
  ForEach(reinterpret_cast<const char*>(&message) + kHeader, message.nlmsg_len - kHeader,
          [&](const nlattr& attribute) {
            switch (mnl_attr_get_type(&attribute)) {
              case CTA_EXPECT_TUPLE:
                flow = ReadTuple(attribute);
                break;
              case CTA_EXPECT_MASTER:
                master = ReadTuple(attribute);
                break;
              case CTA_EXPECT_MASK: {
                const Tuple mask = ReadTuple(attribute);
                what.source_mask = mask.ends.source;
                what.source_port_mask = mask.ends.source_port;
                break;
              }
              case CTA_EXPECT_TIMEOUT:
                expectation.timeout = Read32(attribute);
                break;
              case CTA_EXPECT_HELP_NAME:
                ReadName(attribute, what.helper);
                break;
              case CTA_EXPECT_FN:
                ReadName(attribute, what.function);
                break;
              case CTA_EXPECT_FLAGS:
                what.flags = Read32(attribute);
                break;
              case CTA_EXPECT_CLASS:
                what.group = Read32(attribute);
                break;
              case CTA_EXPECT_NAT:
                ReadNat(attribute, what);
                break;
              default:
                break;
            }
          });
  if (!flow.addresses || !master.addresses || (what.flags & ~kExpectationFlags) != 0) return false;
  if (flow.family != master.family || what.nat_direction > Expectation::kNoNat) return false;
  what.key = KeyOf(flow);
  what.master = KeyOf(master);
  return IsReplicable(what.key.protocol, what.key.family) &&
         IsReplicable(what.master.protocol, what.master.family);
}

size_t PutExpect(void* at, uint32_t sequence, const Expectation& expectation) {
  const Expectation::What& what = expectation.what;
  nlmsghdr* header =
      PutHeader(at, IPCTNL_MSG_EXP_NEW, NLM_F_CREATE | NLM_F_EXCL, sequence, what.key.family);
  PutWhich(header, what);
  PutNat(header, what);
  if (NamesHelper(what)) mnl_attr_put_strz(header, CTA_EXPECT_HELP_NAME, what.helper.data());
  mnl_attr_put_u32(header, CTA_EXPECT_CLASS, htonl(what.group));
  mnl_attr_put_u32(header, CTA_EXPECT_FLAGS, htonl(what.flags));
  if (what.function[0] != 0) mnl_attr_put_strz(header, CTA_EXPECT_FN, what.function.data());
  return header->nlmsg_len;
}

size_t PutExpectTimeout(void* at, uint32_t sequence, const Expectation& expectation,
                        uint32_t timeout) {
  nlmsghdr* header = PutHeader(at, IPCTNL_MSG_EXP_NEW, 0, sequence, expectation.what.key.family);
  PutWhich(header, expectation.what);
  mnl_attr_put_u32(header, CTA_EXPECT_TIMEOUT, htonl(timeout));
  return header->nlmsg_len;
}

size_t PutUnexpect(void* at, uint32_t sequence, const Expectation& expectation) {
  const FlowKey& key = expectation.what.key;
  nlmsghdr* header = PutHeader(at, IPCTNL_MSG_EXP_DELETE, 0, sequence, key.family);
  PutTuple(header, CTA_EXPECT_TUPLE, key, EndsOf(key));
  return header->nlmsg_len;
}

absl::StatusOr<std::vector<Expectation>> ListExpectations() {
  ZC_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::Open());
  alignas(nlmsghdr) char request[kMaxMessage];
  const nlmsghdr* dump = PutHeader(request, IPCTNL_MSG_EXP_GET, NLM_F_DUMP, 1, AF_UNSPEC);
  ZC_RETURN_IF_ERROR(socket.Send(request, dump->nlmsg_len));
  std::vector<Expectation> found;
  std::vector<char> part(kPart);
  for (;;) {
    const ssize_t size = ::recv(socket.fd(), part.data(), part.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return ErrnoStatus("cannot read the kernel's expectations");
    int left = static_cast<int>(size);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(part.data());
         mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
      if (message->nlmsg_type == NLMSG_DONE) return found;
      if (message->nlmsg_type == NLMSG_ERROR)
        return absl::InternalError("the kernel refuses to list its expectations");
      Expectation expectation;
      if (ParseExpectation(*message, expectation)) found.push_back(expectation);
    }
  }
}

}  // namespace zcluster::conntrack
