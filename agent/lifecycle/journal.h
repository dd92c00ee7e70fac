// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "zcluster/v1/journal.pb.h"

// How this node came into its pair, so that a crash at any instruction is put right by the next
// start (proto Journal). Blocks for the disk, a moment: only while a pair is made or ended.
namespace zcluster::lifecycle {

// What the file says; nothing said if there is none. The error names the file.
absl::StatusOr<v1::Journal> ReadJournal(const std::string& file);

// Durable when it returns.
absl::Status WriteJournal(const std::string& file, const std::string& id, v1::Journal::Phase phase);

absl::Status RemoveJournal(const std::string& file);

}  // namespace zcluster::lifecycle
