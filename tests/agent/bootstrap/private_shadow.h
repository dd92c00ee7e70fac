// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

// An /etc/shadow for this process alone, so that PAM is real and the machine's own is not touched.
// Put in place, in a mount namespace of our own, before the first test.
namespace zcluster::bootstrap {

// False where the tests do not run as root: nothing can be asked of PAM then.
bool HasPrivateShadow();

// Root's password there.
std::string RootsPassword();

// Another one, as long as this exists, which the process holds nowhere but in what Make() returns.
class DistinctPassword {
 public:
  DistinctPassword();
  ~DistinctPassword();
  std::string Make() const;
};

// Takes root's password away, and gives it back when it goes.
class NoRootPassword {
 public:
  NoRootPassword();
  ~NoRootPassword();
};

}  // namespace zcluster::bootstrap
