// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/forgotten.h"

#include "absl/strings/str_cat.h"
#include "agent/bootstrap/bootstrap.h"

namespace zcluster::lifecycle {
namespace {

constexpr absl::Duration kEvery = absl::Seconds(2);
// Where an agent takes joins unless its own file says otherwise.
constexpr int kPort = 7701;

}  // namespace

Forgotten::Forgotten(Loop& loop, Node& node, const config::AgentSettings& self)
    : loop_(loop),
      node_(node),
      peer_(self.peer_name),
      door_(absl::StrCat(self.peer_address, ":", kPort)),
      timer_(loop.Every(kEvery, [this] { Look(); })) {}

void Forgotten::Look() {
  if (!node_.running() || looking_) return;
  if (node_.view().link.up) return Tell("");
  looking_ = true;
  bootstrap::Probe(loop_, door_, [this, alive = alive_](const absl::StatusOr<std::string>& key) {
    if (!*alive) return;
    looking_ = false;
    if (!node_.running() || node_.view().link.up) return;
    Tell(key.ok() ? absl::StrCat(peer_,
                                 " is in no pair any more: make one anew after `zctl cluster "
                                 "unconfigure --local` on this node")
                  : "");
  });
}

void Forgotten::Tell(const std::string& problem) {
  if (problem == told_) return;
  told_ = problem;
  node_.Report(core::ComponentReported{"peer", problem});
}

}  // namespace zcluster::lifecycle
