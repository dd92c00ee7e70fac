// SPDX-License-Identifier: Apache-2.0
#include "agent/packetfilter/packetfilter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/child.h"
#include "common/status.h"

namespace zcluster::packetfilter {

PacketFilter::PacketFilter(Options options) : options_(std::move(options)) {}

absl::Status PacketFilter::Start(EventSink&) {
  constexpr absl::Duration kLimit = absl::Seconds(5);
  const absl::Status loaded = RunProgram({options_.nft, "-f", "-"}, Render(options_), kLimit);
  if (absl::IsNotFound(loaded)) {
    return absl::NotFoundError(
        absl::StrCat(loaded.message(), " (is the package nftables installed?)"));
  }
  return Annotate(loaded, "nft does not take our table");
}

}  // namespace zcluster::packetfilter
