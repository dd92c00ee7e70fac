// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace zcluster::bootstrap {

// What PAM said of a password.
struct PamAnswer {
  // OK; PERMISSION_DENIED: it is wrong; FAILED_PRECONDITION: right or not, PAM lets nobody in, and
  // why.
  absl::Status status;
  // How long PAM wants a wrong answer to be held back.
  absl::Duration delay;
};

// Asks PAM whether `password` is root's and root's account is good. `service` names the file in
// /etc/pam.d, `from` the host that asks, for the logs of PAM's modules. An empty password is never
// right. Blocks, mostly for as long as the hash takes; never for the delay. Any thread.
PamAnswer AskPam(const std::string& service, const std::string& from, const std::string& password);

}  // namespace zcluster::bootstrap
