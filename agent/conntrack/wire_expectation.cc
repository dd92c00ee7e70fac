// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/wire_expectation.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/conntrack/wire_fields.h"
#include "zcluster/v1/conntrack.pb.h"

namespace zcluster::conntrack {
namespace {

using What = Expectation::What;

constexpr uint32_t kMaxGroup = 255;  // the kernel's helpers have up to five
constexpr uint32_t kMaxTimeout = 30 * 86400;

absl::Status ReadSourceMask(const v1::Expectation& message, What& what) {
  const bool v4 = what.key.family == AF_INET;
  if (v4 ? !message.source_mask_v6().empty() : message.has_source_mask_v4())
    return Wrong("source_mask", "the family of the flow");
  if (v4) {
    what.source_mask = FromV4(message.source_mask_v4());
  } else if (!message.source_mask_v6().empty()) {
    ZC_RETURN_IF_ERROR(ReadV6(message.source_mask_v6(), "source_mask_v6", what.source_mask));
  }
  return ReadPort(message.source_port_mask(), "source_port_mask", what.source_port_mask);
}

absl::Status ReadNat(const v1::ExpectationNat& message, What& what) {
  if (message.direction() > 1) return Wrong("nat.direction", "0 or 1");
  what.nat_direction = message.direction();
  if (what.key.family == AF_INET) {
    if (!message.address_v6().empty()) return Wrong("nat.address_v6", "the family of the flow");
    what.nat_address = FromV4(message.address_v4());
  } else {
    if (message.has_address_v4()) return Wrong("nat.address_v4", "the family of the flow");
    ZC_RETURN_IF_ERROR(ReadV6(message.address_v6(), "nat.address_v6", what.nat_address));
  }
  return ReadPort(message.port(), "nat.port", what.nat_port);
}

absl::Status ReadOne(const v1::Expectation& message, Expectation& expectation) {
  What& what = expectation.what;
  expectation.gone = message.gone();
  ZC_RETURN_IF_ERROR(Annotate(ReadTuple(message.flow(), what.key), "flow"));
  if (expectation.gone) return absl::OkStatus();
  ZC_RETURN_IF_ERROR(Annotate(ReadTuple(message.master(), what.master), "master"));
  if (what.master.family != what.key.family) return Wrong("master", "the family of the flow");
  ZC_RETURN_IF_ERROR(ReadSourceMask(message, what));
  if (message.has_nat()) ZC_RETURN_IF_ERROR(ReadNat(message.nat(), what));
  ZC_RETURN_IF_ERROR(ReadName(message.helper(), "helper", what.helper));
  ZC_RETURN_IF_ERROR(ReadName(message.function(), "function", what.function));
  if (message.group() > kMaxGroup) return Wrong("group", "0 to 255");
  if ((message.flags() & ~kExpectationFlags) != 0) return Wrong("flags", "bits of 0x3");
  if (message.timeout() > kMaxTimeout) return Wrong("timeout", "at most 30 days");
  what.group = message.group();
  what.flags = message.flags();
  expectation.timeout = message.timeout();
  return absl::OkStatus();
}

}  // namespace

void Write(const Expectation& expectation, v1::Expectation& message) {
  const What& what = expectation.what;
  const bool v4 = what.key.family == AF_INET;
  WriteTuple(what.key, *message.mutable_flow());
  if (expectation.gone) {
    message.set_gone(true);
    return;
  }
  WriteTuple(what.master, *message.mutable_master());
  v4 ? message.set_source_mask_v4(V4(what.source_mask))
     : message.set_source_mask_v6(V6(what.source_mask));
  message.set_source_port_mask(what.source_port_mask);
  if (what.nat_direction != Expectation::kNoNat) {
    v1::ExpectationNat& nat = *message.mutable_nat();
    nat.set_direction(what.nat_direction);
    v4 ? nat.set_address_v4(V4(what.nat_address)) : nat.set_address_v6(V6(what.nat_address));
    nat.set_port(what.nat_port);
  }
  message.set_helper(what.helper.data());
  message.set_function(what.function.data());
  message.set_group(what.group);
  message.set_flags(what.flags);
  message.set_timeout(expectation.timeout);
}

absl::Status Read(const v1::FlowBatch& message, std::vector<Expectation>& expectations) {
  expectations.clear();
  if (message.expectations_size() > kMaxExpectationsInBatch) {
    return absl::InvalidArgumentError(absl::StrCat("a batch of ", message.expectations_size(),
                                                   " expectations; at most ",
                                                   kMaxExpectationsInBatch, " are allowed"));
  }
  expectations.resize(static_cast<size_t>(message.expectations_size()));
  for (int i = 0; i < message.expectations_size(); ++i) {
    const absl::Status read =
        ReadOne(message.expectations(i), expectations[static_cast<size_t>(i)]);
    if (!read.ok()) {
      expectations.clear();
      return Annotate(read, absl::StrCat("expectations[", i, "]"));
    }
  }
  return absl::OkStatus();
}

}  // namespace zcluster::conntrack
