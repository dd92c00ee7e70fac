// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/bootstrap/pam.h"
#include "agent/bootstrap/secret.h"
#include "common/inlet.h"
#include "common/loop.h"

namespace zcluster::bootstrap {

// Checks root's password, one at a time, on a thread of its own. Loop thread.
class RootPassword {
 public:
  using Answer = std::function<void(const absl::Status&)>;  // once, on the loop; see PamAnswer

  RootPassword(Loop& loop, std::string service);
  // Waits for PAM, if it is being asked. No answer follows.
  ~RootPassword();

  // Whether a check is under way. It ends with its answer.
  bool busy() const { return answer_ != nullptr; }
  // A right password is answered at once, any other two seconds after the question or later, as PAM
  // wants it. Not while busy.
  void Check(Secret password, std::string from, Answer answer);

 private:
  void Heard(const PamAnswer& heard);
  void Tell(const absl::Status& status);

  Loop& loop_;
  const std::string service_;
  std::shared_ptr<Inlet> inlet_;
  Answer answer_;
  absl::Time asked_;
  Loop::Registration delay_;
  std::thread thread_;
};

}  // namespace zcluster::bootstrap
