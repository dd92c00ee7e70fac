// SPDX-License-Identifier: Apache-2.0
#include "agent/core/action.h"

namespace zcluster::core {

bool IsPromise(const Action& action) {
  // AssumeRole counts although much of it acts here only: it carries the term into every batch that
  // leaves, and a term told but not on disk could be given out twice. It does so in every role, for
  // a role that overtook a held one would be undone by it when the disk comes back. ReleaseCommands
  // follows it.
  return std::holds_alternative<AssumeRole>(action) || std::holds_alternative<SendState>(action) ||
         std::holds_alternative<Finished>(action) ||
         std::holds_alternative<ReleaseCommands>(action);
}

}  // namespace zcluster::core
