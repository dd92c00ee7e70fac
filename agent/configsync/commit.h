// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "agent/configsync/manifest.h"
#include "agent/configsync/stage.h"
#include "agent/configsync/tree.h"

namespace zcluster::configsync {

// What it takes to make a root from what is held to what is wanted.
struct Plan {
  // Contents that are held nowhere in the root, one for each file that needs it.
  std::vector<Content> missing;
  // Entries of the wanted manifest, by index: directories to make; files and links to put in place;
  // entries of which only owner or mode differ.
  std::vector<size_t> directories;
  std::vector<size_t> renames;
  std::vector<size_t> attributes;
  // Entries of the held manifest, by index, what is below a directory before it: those that stand
  // in the way of a directory, or are one where there must be none; and those that are gone.
  std::vector<size_t> in_the_way;
  std::vector<size_t> gone;
};

// Pure.
Plan MakePlan(const Manifest& held, const Manifest& wanted);

// Carries out `plan`. First all files are put together in `stage`, on the disk: an error until then
// leaves the root untouched. Then they are renamed in one by one, directories first, and what is
// gone is deleted: a crash leaves each file whole, old or new. On the disk when it returns. A held
// directory that has something in it which no manifest names (an excluded file) is not deleted: the
// rest is done, and the error names it.
absl::Status Commit(const Tree& tree, Stage& stage, const Manifest& held, const Manifest& wanted,
                    const Plan& plan);

}  // namespace zcluster::configsync
