// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace zcluster::bootstrap {

// How often the root password may still be tried: five times, over all connections and restarts.
// A try counts, on the disk, before the password is looked at, so that neither a crash nor a
// connection that ends gives one for nothing; a right one clears the count. Loop thread.
class PasswordTries {
 public:
  // `path` need not exist. FAILED_PRECONDITION for a file that is not ours.
  static absl::StatusOr<PasswordTries> Open(std::string path);

  // RESOURCE_EXHAUSTED if no try is left, with the way out.
  absl::Status Check() const;
  // Takes one try.
  absl::Status Take();
  // All five again.
  absl::Status Clear();
  int left() const;

 private:
  explicit PasswordTries(std::string path) : path_(std::move(path)) {}
  absl::Status Write(int taken);

  std::string path_;
  int taken_ = 0;
};

}  // namespace zcluster::bootstrap
