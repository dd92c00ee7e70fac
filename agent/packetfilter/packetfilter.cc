// SPDX-License-Identifier: Apache-2.0
#include "agent/packetfilter/packetfilter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/child.h"
#include "common/status.h"

namespace zcluster::packetfilter {
namespace {

constexpr absl::Duration kStartLimit = absl::Seconds(5);
// While the loop serves: below the 3 s of silence after which the peer gives the link up.
constexpr absl::Duration kServingLimit = absl::Seconds(2);

}  // namespace

PacketFilter::PacketFilter(Options options) : options_(std::move(options)) {}

absl::Status PacketFilter::Start(EventSink&) { return Load(Render(options_), kStartLimit); }

absl::Status PacketFilter::Reconfigure(Options options) {
  ZC_RETURN_IF_ERROR(Load(Render(options), kServingLimit));
  options_ = std::move(options);
  return absl::OkStatus();
}

absl::Status PacketFilter::Remove() {
  // Declared first, so that it is no error if it was not there.
  return Load("table inet zcluster\ndelete table inet zcluster\n", kServingLimit);
}

absl::Status PacketFilter::Load(const std::string& ruleset, absl::Duration limit) const {
  const absl::Status loaded = RunProgram({options_.nft, "-f", "-"}, ruleset, limit);
  if (absl::IsNotFound(loaded)) {
    return absl::NotFoundError(
        absl::StrCat(loaded.message(), " (is the package nftables installed?)"));
  }
  return Annotate(loaded, "nft does not take our table");
}

}  // namespace zcluster::packetfilter
