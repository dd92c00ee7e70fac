// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/certificate.h"
#include "zcluster/v1/enrolment.pb.h"

// Who a simulated agent is: in its pair, and in a fleet. All in memory, PEM; any thread.
namespace zcluster::test {

// A node as its pair's own CA has certified it: what enrolling asks it to prove.
struct PairMember {
  std::string pair;
  std::string node;
  std::string key;
  std::string certificate;
  std::string ca;
};

// A pair's own CA.
class PairAuthority {
 public:
  // A new one. Two of the same name are two pairs that claim one name.
  static absl::StatusOr<PairAuthority> Make(std::string pair);
  // A new member; its certificate is good for a day.
  absl::StatusOr<PairMember> Certify(std::string node) const;

 private:
  std::string pair_;
  std::string key_;
  std::string certificate_;
};

// An agent as a controller has enrolled it.
struct FleetIdentity {
  std::string fleet;
  std::string pair;  // as the fleet calls it
  std::string node;
  std::string key;
  std::string certificate;
  std::string ca;                                // the fleet's
  std::shared_ptr<const tls::Trust> trust = {};  // the same, parsed once for many; may be null
};

// How to enrol.
struct Enrolling {
  std::string address;  // of the controller's port for it, ADDRESS:PORT
  std::string token;    // as FleetService.Token gives it
  PairMember member;
  absl::Duration patience = absl::Seconds(20);
  // What else to say than the truth, just before it is sent.
  std::function<void(v1::EnrolRequest&)> edit = {};
};

// Enrols over a connection of its own, as an agent does, with a new key. Blocks. The error is the
// controller's own word, or what kept the call from it.
absl::StatusOr<FleetIdentity> Enrol(const Enrolling& how);

}  // namespace zcluster::test
