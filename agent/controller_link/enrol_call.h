// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/controller_link/channel.h"
#include "common/credential.h"
#include "common/inlet.h"
#include "zcluster/v1/enrolment.pb.h"

namespace zcluster::controller_link {

// One EnrolmentService.Enrol at one address. Loop thread.
class EnrolCall {
 public:
  struct Answer {
    Ended why;  // OK: `response` is there
    v1::EnrolResponse response;
  };
  // Shows `own`, and tells `request` to nobody but the holder of the key of `fingerprint`. `done`
  // is called once, on the loop, unless this is gone by then.
  static std::unique_ptr<EnrolCall> Begin(std::shared_ptr<Inlet> inlet, const std::string& address,
                                          const tls::Credential& own,
                                          const std::string& fingerprint,
                                          const v1::EnrolRequest& request,
                                          std::function<void(Answer)> done);
  // Ends it.
  virtual ~EnrolCall() = default;
};

}  // namespace zcluster::controller_link
