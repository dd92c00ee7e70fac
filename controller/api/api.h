// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "common/loop.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace zcluster {
class AuditTrail;
class Guard;
}  // namespace zcluster

namespace zcluster::controller {

class Enrolment;
class Hub;

// What operators call at a controller: FleetService, OperatorService. Every call is one that
// `guard` let in.
//
// Servers that serve it may outlive Stop() (calls are then answered UNAVAILABLE), but must have
// ended before this object does.
class Api {
 public:
  // The references outlive this object.
  Api(Loop& loop, Hub& hub, Enrolment& enrolment, Guard& guard, AuditTrail& audit);
  ~Api();

  std::vector<grpc::Service*> services();
  // Ends what lasts and answers what waits. Loop thread, or after the loop has ended.
  void Stop();

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace zcluster::controller
