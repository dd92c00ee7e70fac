// SPDX-License-Identifier: Apache-2.0
#include "controller/api/api.h"

#include "common/access/desk.h"
#include "controller/api/fleet_service.h"
#include "controller/api/operator_service.h"

namespace zcluster::controller {

struct Api::Parts {
  Parts(Loop& loop, Hub& hub, Enrolment& enrolment, Guard& guard, AuditTrail& audit)
      : desk(loop, guard), fleet(loop, desk, hub, enrolment), operators(desk, hub, audit) {}

  access::Desk desk;
  FleetService fleet;
  OperatorService operators;
};

Api::Api(Loop& loop, Hub& hub, Enrolment& enrolment, Guard& guard, AuditTrail& audit)
    : parts_(std::make_unique<Parts>(loop, hub, enrolment, guard, audit)) {}

Api::~Api() { Stop(); }

std::vector<grpc::Service*> Api::services() { return {&parts_->fleet, &parts_->operators}; }

void Api::Stop() {
  parts_->desk.Close();
  parts_->fleet.Stop();
}

}  // namespace zcluster::controller
