// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ctl/remote/credential.h"

namespace zcluster::ctl {

// The contexts that every store has: the agent of this node, and the controller on this machine,
// over their sockets.
inline constexpr char kLocalContext[] = "local";
inline constexpr char kControllerContext[] = "controller";

// Whether it is one of those.
bool IsBuiltIn(absl::string_view context);

// The pairs and fleets that this user can reach: a directory of 0700 with a credential file of 0600
// for each, and the name of the one in use. Files are replaced atomically. Errors name the file.
class Contexts {
 public:
  explicit Contexts(std::string directory) : directory_(std::move(directory)) {}
  // $XDG_CONFIG_HOME/zcluster, else ~/.config/zcluster; without either, a store that is empty and
  // stays so.
  static Contexts OfUser();

  // "local" unless Use() said otherwise.
  absl::StatusOr<std::string> Current() const;
  // NOT_FOUND if there is none of that name; names what there is.
  absl::Status Use(const std::string& name) const;
  // Replaces one of that name. INVALID_ARGUMENT if the name cannot be one.
  absl::Status Add(const std::string& name, const Credential& credential) const;
  absl::StatusOr<Credential> Get(const std::string& name) const;
  // The one in use becomes "local" if it is this one.
  absl::Status Remove(const std::string& name) const;
  // In order, without the built-in ones.
  absl::StatusOr<std::vector<std::string>> Names() const;

 private:
  std::string PathOf(const std::string& name) const;
  absl::Status Missing(const std::string& name) const;

  std::string directory_;  // empty: there is no home
};

}  // namespace zcluster::ctl
