// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/conntrack/flow.h"

// Messages to the kernel's conntrack. Each is written at `at`, which must be aligned to 4 and have
// kMaxMessage bytes; its length is returned. Answers carry `sequence`.
namespace zcluster::conntrack {

// Enough for the longest (IPv6, TCP, both kinds of NAT: some 400; helper, master, labels and
// shifted sequence numbers: some 200).
inline constexpr size_t kMaxMessage = 768;

// Makes a flow that must not exist yet (EEXIST if it does), confirmed, with its NAT, and for TCP
// with liberal window tracking: the window that the peer saw is not known here, and without that
// the first packets could be INVALID. A GRE flow gets a timeout that packets do not touch: the
// kernel keeps GRE's timeouts in the flow itself, leaves them 0 in one that is made so, and the
// first packet would end it.
size_t PutCreate(void* at, uint32_t sequence, const Flow& flow, uint32_t timeout);

// Sets status, mark, TCP's or SCTP's state, labels, shifted sequence numbers and, but for GRE, the
// timeout of one that exists (ENOENT if not). NAT, helper and master stay: the kernel refuses to
// change them (EOPNOTSUPP), whoever needs that deletes and creates. ENOSPC: all but the labels is
// done, for which no rule of this kernel asks.
size_t PutUpdate(void* at, uint32_t sequence, const Flow& flow, uint32_t timeout);

// Sets nothing but the timeout, in seconds.
size_t PutTimeout(void* at, uint32_t sequence, const FlowKey& key, uint32_t timeout);

// Makes the window tracking of a TCP flow that exists liberal, and touches nothing else.
size_t PutLoosen(void* at, uint32_t sequence, const FlowKey& key);

// Ends the flow whose original direction is `key`. ENOENT if there is none.
size_t PutDelete(void* at, uint32_t sequence, const FlowKey& key);

// Ends whatever flow has the reply direction of `flow` as one of its directions.
size_t PutDeleteByReply(void* at, uint32_t sequence, const Flow& flow);

// Asks for one flow.
size_t PutGet(void* at, uint32_t sequence, const FlowKey& key);

// Asks for all flows of both families.
size_t PutDump(void* at, uint32_t sequence);

}  // namespace zcluster::conntrack
