// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/event_program.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include <cstddef>
#include <initializer_list>

namespace zcluster::conntrack {
namespace {

using Direction = FlowRule::Direction;

constexpr uint32_t kFirstAttribute = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
constexpr uint32_t kAttributeHeader = sizeof(nlattr);
// Where a tuple's parts were found: indices of the machine's memory, one such set a direction.
constexpr uint32_t kAddresses = 0, kPorts = 1, kTuple = 2, kReply = 3;

// Instructions with jumps to places that are not known yet. Each conditional jump skips one
// instruction at most, for its own reach is 255: the way is an unconditional one.
class Assembler {
 public:
  using Label = size_t;

  Label NewLabel() {
    places_.push_back(0);
    return places_.size() - 1;
  }
  void Place(Label label) { places_[label] = code_.size(); }
  void Do(int code, uint32_t k) { code_.push_back(BPF_STMT(static_cast<uint16_t>(code), k)); }
  void Goto(Label label) {
    jumps_.emplace_back(code_.size(), label);
    Do(BPF_JMP | BPF_JA, 0);
  }
  void If(int test, uint32_t k, Label label) {
    code_.push_back(BPF_JUMP(static_cast<uint16_t>(BPF_JMP | test | BPF_K), k, 0, 1));
    Goto(label);
  }
  void Unless(int test, uint32_t k, Label label) {
    code_.push_back(BPF_JUMP(static_cast<uint16_t>(BPF_JMP | test | BPF_K), k, 1, 0));
    Goto(label);
  }
  std::vector<sock_filter> Finish() {
    for (const auto& [at, label] : jumps_)
      code_[at].k = static_cast<uint32_t>(places_[label] - at - 1);
    return std::move(code_);
  }

 private:
  std::vector<sock_filter> code_;
  std::vector<size_t> places_;
  std::vector<std::pair<size_t, Label>> jumps_;
};

// One of four ends: where its parts are.
struct Side {
  uint32_t direction;  // 0 or kReply
  bool destination;
};
using Sides = std::initializer_list<Side>;

class Writer {
 public:
  // So many of the rules, from the first, are compiled.
  std::vector<sock_filter> Write(uint32_t muted, const FlowRules& rules, bool only, size_t skips) {
    a_.Do(BPF_LD | BPF_W | BPF_ABS, offsetof(nlmsghdr, nlmsg_pid));
    // In host order, while loads are from network order.
    a_.If(BPF_JEQ, htonl(muted), drop_);
    if (only || skips > 0) {
      FindParts();
      if (only) WriteOnly(rules.only);
      for (size_t i = 0; i < skips; ++i) WriteSkip(rules.skip[i]);
    }
    a_.Place(pass_);
    a_.Do(BPF_RET | BPF_K, 0xffffffff);
    a_.Place(drop_);
    a_.Do(BPF_RET | BPF_K, 0);
    return a_.Finish();
  }

 private:
  using Label = Assembler::Label;

  void FindParts() {
    a_.Do(BPF_LD | BPF_H | BPF_ABS, offsetof(nlmsghdr, nlmsg_type));
    a_.Do(BPF_ALU | BPF_AND | BPF_K, htons(0xff00));
    a_.Unless(BPF_JEQ, htons(NFNL_SUBSYS_CTNETLINK << 8), pass_);
    for (const uint32_t direction : {0u, kReply}) {
      a_.Do(BPF_LD | BPF_IMM, kFirstAttribute);
      Find(SKF_AD_NLATTR, direction == 0 ? CTA_TUPLE_ORIG : CTA_TUPLE_REPLY);
      a_.If(BPF_JEQ, 0, pass_);
      a_.Do(BPF_ST, direction + kTuple);
      Find(SKF_AD_NLATTR_NEST, CTA_TUPLE_IP);
      a_.If(BPF_JEQ, 0, pass_);
      a_.Do(BPF_ST, direction + kAddresses);
      a_.Do(BPF_LD | BPF_MEM, direction + kTuple);
      Find(SKF_AD_NLATTR_NEST, CTA_TUPLE_PROTO);
      a_.If(BPF_JEQ, 0, pass_);
      a_.Do(BPF_ST, direction + kPorts);
    }
  }

  // The accumulator has an offset, and gets that of the attribute there, or 0.
  void Find(uint32_t how, uint32_t type) {
    a_.Do(BPF_LDX | BPF_IMM, type);
    a_.Do(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF) + how);
  }
  // Loads from what an attribute holds whose offset the accumulator has.
  void Load(int size, uint32_t offset = 0) {
    if (offset == 0) a_.Do(BPF_MISC | BPF_TAX, 0);
    a_.Do(BPF_LD | size | BPF_IND, kAttributeHeader + offset);
  }

  void WriteOnly(const std::vector<FlowRule>& rules) {
    const Label taken = a_.NewLabel();
    for (const FlowRule& rule : rules) {
      const Label next = a_.NewLabel();
      WriteRule(rule, next);
      a_.Goto(taken);
      a_.Place(next);
    }
    a_.Goto(drop_);
    a_.Place(taken);
  }
  void WriteSkip(const FlowRule& rule) {
    if (!IsLasting(rule)) return;
    const Label next = a_.NewLabel();
    WriteRule(rule, next);
    a_.Goto(drop_);
    a_.Place(next);
  }

  // Goes on behind if the lasting part holds, else at `no`.
  void WriteRule(const FlowRule& rule, Label no) {
    if (rule.protocol != 0) {
      LoadProtocol();
      a_.Unless(BPF_JEQ, rule.protocol, no);
    }
    if (rule.zone) WriteZone(*rule.zone, no);
    const uint32_t named = rule.direction == Direction::kReply ? kReply : 0;
    WriteEnd(rule.source, {{named, false}}, no);
    WriteEnd(rule.destination, {{named, true}}, no);
    if (rule.direction == Direction::kAny) {
      WriteEnd(rule.any, {{0, false}, {0, true}, {kReply, false}, {kReply, true}}, no);
    } else {
      WriteEnd(rule.any, {{named, false}, {named, true}}, no);
    }
  }

  void LoadProtocol() {
    a_.Do(BPF_LD | BPF_MEM, kPorts);
    Find(SKF_AD_NLATTR_NEST, CTA_PROTO_NUM);
    Load(BPF_B);
  }

  // The original direction's own zone, else the flow's, else 0.
  void WriteZone(uint16_t zone, Label no) {
    const Label of_both = a_.NewLabel(), compare = a_.NewLabel();
    a_.Do(BPF_LD | BPF_MEM, kTuple);
    Find(SKF_AD_NLATTR_NEST, CTA_TUPLE_ZONE);
    a_.If(BPF_JEQ, 0, of_both);
    Load(BPF_H);
    a_.Goto(compare);
    a_.Place(of_both);
    a_.Do(BPF_LD | BPF_IMM, kFirstAttribute);
    Find(SKF_AD_NLATTR, CTA_ZONE);
    a_.If(BPF_JEQ, 0, compare);
    Load(BPF_H);
    a_.Place(compare);
    a_.Unless(BPF_JEQ, zone, no);
  }

  void WriteEnd(const FlowRule::End& end, Sides sides, Label no) {
    if (end.network.family != 0) WriteNetwork(end.network, sides, no);
    if (end.ports.first != 0) WritePorts(end.ports, sides, no);
  }

  void WriteNetwork(const FlowRule::Network& network, Sides sides, Label no) {
    a_.Do(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(nfgenmsg, nfgen_family));
    a_.Unless(BPF_JEQ, network.family, no);
    const Label yes = a_.NewLabel();
    for (const Side& side : sides) {
      const Label next = a_.NewLabel();
      const bool v4 = network.family == AF_INET;
      const uint32_t source = v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC;
      a_.Do(BPF_LD | BPF_MEM, side.direction + kAddresses);
      Find(SKF_AD_NLATTR_NEST, side.destination ? source + 1 : source);
      a_.If(BPF_JEQ, 0, next);
      CompareWords(network, next);
      a_.Goto(yes);
      a_.Place(next);
    }
    a_.Goto(no);
    a_.Place(yes);
  }

  void CompareWords(const FlowRule::Network& network, Label next) {
    for (uint32_t bit = 0; bit < network.length; bit += 32) {
      const uint8_t* bytes = network.address.data() + bit / 8;
      const uint32_t word = uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 |
                            uint32_t{bytes[2]} << 8 | uint32_t{bytes[3]};
      Load(BPF_W, bit / 8);
      const uint32_t left = network.length - bit;
      if (left < 32) a_.Do(BPF_ALU | BPF_AND | BPF_K, ~uint32_t{0} << (32 - left));
      a_.Unless(BPF_JEQ, word, next);
    }
  }

  void WritePorts(const FlowRule::Ports& ports, Sides sides, Label no) {
    LoadProtocol();
    a_.If(BPF_JEQ, IPPROTO_GRE, no);  // others without ports have no such attribute
    const Label yes = a_.NewLabel();
    for (const Side& side : sides) {
      const Label next = a_.NewLabel();
      a_.Do(BPF_LD | BPF_MEM, side.direction + kPorts);
      Find(SKF_AD_NLATTR_NEST, side.destination ? CTA_PROTO_DST_PORT : CTA_PROTO_SRC_PORT);
      a_.If(BPF_JEQ, 0, next);
      Load(BPF_H);
      a_.Unless(BPF_JGE, ports.first, next);
      a_.If(BPF_JGT, ports.last, next);
      a_.Goto(yes);
      a_.Place(next);
    }
    a_.Goto(no);
    a_.Place(yes);
  }

  Assembler a_;
  const Label pass_ = a_.NewLabel();
  const Label drop_ = a_.NewLabel();
};

}  // namespace

std::vector<sock_filter> EventProgram(uint32_t muted, const Rules& rules) {
  bool only = !rules.rules().only.empty();
  size_t skips = rules.rules().skip.size();
  for (;;) {
    std::vector<sock_filter> program = Writer().Write(muted, rules.rules(), only, skips);
    if (program.size() <= BPF_MAXINSNS) return program;
    // What is left out passes, and is judged by whoever listens.
    if (skips > 0) {
      skips /= 2;
    } else {
      only = false;
      skips = rules.rules().skip.size();
    }
  }
}

}  // namespace zcluster::conntrack
