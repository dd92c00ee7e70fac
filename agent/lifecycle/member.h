// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/config/config.h"
#include "agent/identity/identity.h"
#include "agent/lifecycle/paths.h"
#include "zcluster/v1/config.pb.h"

// The files that make a node a member of a pair, put in place and taken back. agent.yaml, which
// says that it is one, comes last and goes last but one. Blocks for the disk, a moment.
namespace zcluster::lifecycle {

// What a create gives a node.
struct Membership {
  v1::AgentConfig agent;  // its sections node and peer, nothing else
  v1::PairConfig pair;
  identity::Identity identity;
  bool first_master = false;  // it shall be the first to serve
};

// agent.yaml's text with these sections behind what the operator wrote, and without them. What the
// operator wrote stays as it is, to the letter.
std::string WithMembership(absl::string_view text, const v1::AgentConfig& sections);
// As the operator's text was; the same text if it holds no sections of ours.
std::string WithoutMembership(absl::string_view text);

// agent.yaml, whether this node is in a pair or not; the defaults if there is no such file.
absl::StatusOr<config::AgentSettings> ReadSelf(const Paths& paths);

// Whether a membership could be put behind the text that is there: FAILED_PRECONDITION names the
// file and the line that is in the way.
absl::Status CheckInstallable(const Paths& paths);

// Puts all of it in place. After an error (or a crash) RemoveMember() puts it right.
absl::Status InstallMember(const Paths& paths, const Membership& membership);

// Takes back all that InstallMember() did, and whatever of it is there. Files that somebody wrote
// by hand are kept beside, with ".old" behind their names.
absl::Status RemoveMember(const Paths& paths);

}  // namespace zcluster::lifecycle
