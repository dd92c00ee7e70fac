// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "zcluster/v1/cluster.pb.h"
#include "zcluster/v1/config.pb.h"

// What a wish makes of the pair's configuration. Pure; whether the result is sound is for the
// configuration's own check (agent/config).
namespace zcluster::lifecycle {

// `present` as `change` wants it, with the present generation and term. INVALID_ARGUMENT names the
// field; ABORTED if a document was made from another generation. `master` is the node that serves
// now, or "": what PREFERRED means unless it is said.
absl::StatusOr<v1::PairConfig> Changed(const v1::PairConfig& present, const v1::Change& change,
                                       absl::string_view master);

// Whether both say the same, whatever their generations and terms.
bool SameButGeneration(const v1::PairConfig& a, const v1::PairConfig& b);

// Whether `a` is the later one: by term, then by generation (DESIGN 5.1: the survivor's counts),
// then by digest: so that two that were made apart and have one number are told apart alike on both
// nodes.
bool IsLater(const v1::PairConfig& a, const v1::PairConfig& b);

// What clients notice when `after` takes the place of `before`, a sentence each.
std::vector<std::string> Disturbances(const v1::PairConfig& before, const v1::PairConfig& after);

// Who must take the new advert interval before the other: the master when it is lowered, the backup
// when it is raised; else a backup misses adverts and takes over for an instant.
bool MasterGoesFirst(const v1::PairConfig& before, const v1::PairConfig& after);
bool BackupGoesFirst(const v1::PairConfig& before, const v1::PairConfig& after);

// The text of pair.yaml, and whether a text is one that was written so.
std::string PairText(const v1::PairConfig& config);
bool IsPairText(absl::string_view text);

// With what is left out said: how it works in fact.
v1::PairConfig Complete(v1::PairConfig config);

}  // namespace zcluster::lifecycle
