// SPDX-License-Identifier: Apache-2.0
#include "agent/packetfilter/packetfilter.h"

#include <utility>

#include "agent/packetfilter/nft.h"

namespace zcluster::packetfilter {

PacketFilter::PacketFilter(Options options) : options_(std::move(options)) {}

absl::Status PacketFilter::Start(EventSink&) {
  constexpr absl::Duration kLimit = absl::Seconds(5);
  return LoadRuleset(options_.nft, Render(options_), kLimit);
}

}  // namespace zcluster::packetfilter
