// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/leaving.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/lifecycle/journal.h"

namespace zcluster::lifecycle {

Leaving::Leaving(Loop& loop, Node& node, const Paths& paths, const config::Settings& settings,
                 bool local, GiveBack give_back, Step step, Done done)
    : node_(node),
      paths_(paths),
      settings_(settings),
      local_(local),
      give_back_(std::move(give_back)),
      step_(std::move(step)),
      done_(std::move(done)),
      calls_(loop, node.peer()) {
  if (local_) {
    BeginHere();
  } else {
    AskWhetherPeerIsThere();
  }
}

void Leaving::AskWhetherPeerIsThere() {
  calls_.Fetch({}, [this](const absl::StatusOr<v1::FetchResponse>& there) {
    if (there.ok()) return BeginHere();
    done_(absl::FailedPreconditionError(absl::StrCat(
        settings_.agent.peer_name, " cannot be told (", there.status().message(),
        "), nothing was changed; bring it back, or give back this node alone: zctl cluster "
        "unconfigure --local")));
  });
}

void Leaving::BeginHere() {
  const absl::StatusOr<v1::Journal> journal = ReadJournal(paths_.JournalFile());
  const std::string id = journal.ok() ? journal->id() : "";
  // From here on a crash leads to the end of it at the next start.
  if (const absl::Status begun = WriteJournal(paths_.JournalFile(), id, v1::Journal::PHASE_LEAVING);
      !begun.ok()) {
    return done_(begun);
  }
  if (local_) return EndHere("");
  if (node_.view().local.role == core::Role::kMaster) return TellPeer();
  node_.EndHeartbeat(settings_, [this](const absl::Status& ended) {
    if (!ended.ok()) return done_(ended);
    step_(absl::StrCat("ended VRRP on ", settings_.agent.node_name, ", the backup"));
    TellPeer();
  });
}

void Leaving::TellPeer() {
  calls_.Leave({}, [this](const absl::StatusOr<v1::LeaveResponse>& there) {
    if (!there.ok()) return EndHere(std::string(there.status().message()));
    step_(absl::StrCat("gave back ", settings_.agent.peer_name));
    EndHere("");
  });
}

void Leaving::EndHere(const std::string& untold) {
  give_back_([this, untold](const absl::Status& given) {
    if (!given.ok()) return done_(given);
    step_(absl::StrCat("gave back ", settings_.agent.node_name));
    if (untold.empty()) return done_(absl::OkStatus());
    done_(absl::UnknownError(absl::StrCat(
        settings_.agent.peer_name, " did not say that it gave itself back (", untold,
        "); look there (zctl status), and if it still believes in the pair: zctl cluster "
        "unconfigure --local")));
  });
}

}  // namespace zcluster::lifecycle
