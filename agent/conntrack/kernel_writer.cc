// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/kernel_writer.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/conntrack/expectation_message.h"
#include "agent/conntrack/lookup.h"
#include "agent/conntrack/message.h"
#include "common/check.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

// A batch of the longest messages, and the kernel's overhead; an error answer is charged with some
// 800 bytes.
constexpr int kSendBuffer = 2 << 20;
constexpr int kReceiveBuffer = 4 << 20;
constexpr size_t kAnswer = 16 << 10;

}  // namespace

absl::StatusOr<KernelWriter> KernelWriter::Open() {
  KernelWriter writer;
  ZC_ASSIGN_OR_RETURN(writer.socket_, NetlinkSocket::Open());
  ZC_RETURN_IF_ERROR(writer.socket_.SetSendBuffer(kSendBuffer));
  ZC_RETURN_IF_ERROR(writer.socket_.SetReceiveBuffer(kReceiveBuffer));
  ZC_RETURN_IF_ERROR(writer.socket_.ShortenErrors());
  writer.messages_.resize(kMaxBatch * kMaxMessage);
  writer.answer_.resize(kAnswer);
  writer.sent_.reserve(kMaxBatch);
  return writer;
}

char* KernelWriter::Next(Verb verb, const FlowKey& key, uint32_t& sequence) {
  sequence = first_ + static_cast<uint32_t>(sent_.size());
  sent_.push_back({verb, key});
  last_ = size_;
  return messages_.data() + size_;
}

void KernelWriter::Add(Verb verb, const Flow& flow, uint32_t timeout) {
  uint32_t sequence = 0;
  char* at = Next(verb, flow.key, sequence);
  switch (verb) {
    case Verb::kCreate:
      size_ += PutCreate(at, sequence, flow, timeout);
      break;
    case Verb::kUpdate:
      size_ += PutUpdate(at, sequence, flow, timeout);
      break;
    case Verb::kTimeout:
      size_ += PutTimeout(at, sequence, flow.key, timeout);
      break;
    case Verb::kLoosen:
      size_ += PutLoosen(at, sequence, flow.key);
      break;
    case Verb::kDelete:
      size_ += PutDelete(at, sequence, flow.key);
      break;
    case Verb::kDeleteByReply:
      size_ += PutDeleteByReply(at, sequence, flow);
      break;
    default:
      ZC_CHECK(false && "a verb of expectations");
  }
}

void KernelWriter::Add(Verb verb, const Expectation& expectation, uint32_t timeout) {
  uint32_t sequence = 0;
  char* at = Next(verb, expectation.what.key, sequence);
  switch (verb) {
    case Verb::kExpect:
      size_ += PutExpect(at, sequence, expectation);
      break;
    case Verb::kExpectTimeout:
      size_ += PutExpectTimeout(at, sequence, expectation, timeout);
      break;
    case Verb::kUnexpect:
      size_ += PutUnexpect(at, sequence, expectation);
      break;
    default:
      ZC_CHECK(false && "a verb of flows");
  }
}

std::vector<KernelWriter::Refusal> KernelWriter::Flush() {
  if (sent_.empty()) return {};
  // Errors are told for each message, success for the last one only.
  reinterpret_cast<nlmsghdr*>(messages_.data() + last_)->nlmsg_flags |= NLM_F_ACK;
  const absl::Status sent = socket_.Send(messages_.data(), size_);
  std::vector<Refusal> refusals = sent.ok() ? Answers() : AllRefused(ENOBUFS);
  first_ += static_cast<uint32_t>(sent_.size());
  sent_.clear();
  size_ = 0;
  return refusals;
}

std::vector<KernelWriter::Refusal> KernelWriter::AllRefused(int error) const {
  std::vector<Refusal> refusals;
  for (const Sent& sent : sent_) refusals.push_back({sent.verb, sent.key, error});
  return refusals;
}

std::vector<KernelWriter::Refusal> KernelWriter::Answers() {
  std::vector<Refusal> refusals;
  const auto count = static_cast<uint32_t>(sent_.size());
  for (;;) {
    const ssize_t size = ::recv(socket_.fd(), answer_.data(), answer_.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return AllRefused(errno);  // an answer was lost: nothing is known of any
    int left = static_cast<int>(size);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(answer_.data());
         mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
      const uint32_t index = message->nlmsg_seq - first_;
      if (message->nlmsg_type != NLMSG_ERROR || index >= count) continue;
      int error = 0;
      std::memcpy(&error, mnl_nlmsg_get_payload(message), sizeof error);
      if (error != 0) refusals.push_back({sent_[index].verb, sent_[index].key, -error});
      if (index == count - 1) return refusals;
    }
  }
}

absl::StatusOr<absl::optional<Flow>> KernelWriter::Get(const FlowKey& key) {
  return Lookup(socket_, first_++, key);
}

}  // namespace zcluster::conntrack
