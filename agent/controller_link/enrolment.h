// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "agent/controller_link/disk.h"
#include "agent/controller_link/enrol_call.h"
#include "agent/controller_link/options.h"
#include "common/backoff.h"
#include "common/inlet.h"

namespace zcluster::controller_link {

// Lets this node into a fleet, by the token in the file: proves it on a session of its own, shows
// that the node is of its pair, and installs the identity that comes back. Loop thread.
class Enrolment {
 public:
  enum class Result {
    kEnrolled,  // the identity is on the disk
    kNoToken,   // there is none, or it may not be used
    kNotNow,    // nothing was tried: this very token was refused, or it is too soon
    kRefused,   // the controller does not take this token
    kFailed,    // something that may pass
  };
  struct Outcome {
    Result result;
    std::string problem;  // a sentence; empty for kEnrolled and kNotNow
  };

  // `options` outlives this.
  Enrolment(std::shared_ptr<Inlet> inlet, Disk& disk, const Options& options);
  ~Enrolment();

  // Looks at the file, and tries what is in it, unless a try is under way. A token that was refused
  // is not tried again, because five wrong tries end one; what failed otherwise is, but not before
  // a growing pause has passed, or the file's content has changed.
  void Try(std::function<void(const Outcome&)> done);

 private:
  struct Application;
  struct Prepared;
  static Prepared Prepare(const Options& options, const std::string& refused,
                          const std::string& failed);
  void Ask(size_t address);
  void Heard(size_t address, EnrolCall::Answer answer);
  void Keep(v1::EnrolResponse response);
  void End(Outcome outcome);

  const std::shared_ptr<Inlet> inlet_;
  Disk& disk_;
  const Options& options_;
  std::string refused_;  // a digest of the file's content that is used up
  std::string failed_;   // of the one that waits for not_before_
  absl::Time not_before_ = absl::InfinitePast();
  Backoff backoff_;
  std::shared_ptr<Application> application_;
  std::unique_ptr<EnrolCall> call_;
  std::function<void(const Outcome&)> done_;
};

}  // namespace zcluster::controller_link
