// SPDX-License-Identifier: Apache-2.0
#include "controller/api/flows_source.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace zcluster::controller {

void FlowsSource::Begin(Hub& hub, const std::shared_ptr<Sources>& sources, const std::string& pair,
                        uint32_t max_per_second, std::shared_ptr<Stream> stream) {
  std::unique_ptr<FlowsSource> source(new FlowsSource(hub, pair, max_per_second, stream));
  FlowsSource* raw = source.get();
  // Nothing is pulled: what is seen goes at once, or is skipped.
  if (!stream->Serve([] {}, Sources::Remover(sources, raw))) return;
  sources->Add(std::move(source));
  absl::StatusOr<Loop::Registration> watching = hub.flows().Add(
      pair, max_per_second, [raw](const v1::FlowsSeen& flows) { raw->Show(flows); });
  if (!watching.ok()) return stream->Close(watching.status());
  raw->flows_ = *std::move(watching);
}

FlowsSource::FlowsSource(Hub& hub, std::string pair, uint32_t max_per_second,
                         std::shared_ptr<Stream> stream)
    : pair_(std::move(pair)), stream_(std::move(stream)), rate_(max_per_second, max_per_second) {
  changes_ = hub.changes().Add([this, &hub](const std::set<std::string>& names) {
    if (names.count(pair_) > 0 && hub.fleet().Find(pair_) == nullptr)
      stream_->Close(absl::NotFoundError(absl::StrCat(pair_, " was forgotten")));
  });
}

void FlowsSource::Show(const v1::FlowsSeen& flows) {
  skipped_ += flows.skipped();
  if (!stream_->CanTake()) {
    skipped_ += static_cast<uint64_t>(flows.flows_size());
    return;
  }
  v1::FlowsSeen shown;
  shown.set_node(flows.node());
  const absl::Time now = Loop::Now();
  for (const v1::SeenFlow& flow : flows.flows()) {
    if (rate_.Take(now)) {
      *shown.add_flows() = flow;
    } else {
      ++skipped_;
    }
  }
  shown.set_skipped(std::exchange(skipped_, 0));
  stream_->Write(std::move(shown));
}

}  // namespace zcluster::controller
