// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "agent/conntrack/rules.h"
#include "zcluster/v1/flows.pb.h"

namespace zcluster::conntrack {

// Which flows an operator wants to see (v1::FlowFilter). Immutable; any thread.
class Selection {
 public:
  // INVALID_ARGUMENT names the field that makes no sense.
  static absl::StatusOr<Selection> Read(const v1::FlowFilter& filter);

  bool Has(const Flow& flow, v1::FlowClass what) const;

 private:
  bool HasAddress(const Flow& flow) const;
  bool HasPort(const Flow& flow) const;

  uint8_t protocol_ = 0;  // 0: any
  FlowRule::Network network_;
  uint16_t port_ = 0;  // 0: any
  std::optional<uint8_t> tcp_state_;
  bool unreplied_ = false;
  uint32_t mark_ = 0;
  uint32_t mark_mask_ = 0;  // 0: any mark
  std::optional<uint16_t> zone_;
  bool translated_ = false;
  v1::FlowClass class_ = v1::FLOW_CLASS_UNSPECIFIED;
};

}  // namespace zcluster::conntrack
