// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/give_back.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/config/config.h"
#include "agent/lifecycle/journal.h"
#include "agent/lifecycle/member.h"

namespace zcluster::lifecycle {

void GiveBackMember(Node& node, const Paths& paths, Node::Done done) {
  auto finish = [paths, done = std::move(done)](const absl::Status& ended) {
    absl::Status status = ended;
    if (status.ok()) status = RemoveMember(paths);
    if (status.ok()) status = RemoveJournal(paths.JournalFile());
    done(status);
  };
  // What runs counts, whatever has become of the files meanwhile.
  if (node.running()) return node.End(config::Settings(node.settings()), std::move(finish));
  const absl::StatusOr<config::Settings> settings = config::Load(paths.agent_file, paths.pair_file);
  if (!settings.ok()) {
    return finish(absl::FailedPreconditionError(
        absl::StrCat("what this node was cannot be read (", settings.status().message(),
                     "), so it is not known what to take back; mend that, then again")));
  }
  // In no pair: taken back already, or it never came to be.
  if (!settings->pair) return finish(absl::OkStatus());
  node.End(*settings, std::move(finish));
}

}  // namespace zcluster::lifecycle
