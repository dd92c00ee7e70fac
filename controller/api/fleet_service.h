// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/access/desk.h"
#include "common/access/message_stream.h"
#include "common/loop.h"
#include "controller/api/source.h"
#include "controller/enrolment/enrolment.h"
#include "controller/hub/hub.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::controller {

// The fleet for operators. Holds no state but who watches: all is asked of the hub, on the loop.
class FleetService : public v1::FleetService::CallbackService {
 public:
  // All must outlive this object.
  FleetService(Loop& loop, access::Desk& desk, Hub& hub, Enrolment& enrolment)
      : loop_(loop), desk_(desk), hub_(hub), enrolment_(enrolment) {}

  // Ends what lasts. Loop thread, or after the loop has ended.
  void Stop();

 private:
  using StepStream = access::MessageStream<v1::Step>;
  using RunStream = access::MessageStream<v1::RunEvent>;

  grpc::ServerUnaryReactor* Token(grpc::CallbackServerContext* context,
                                  const v1::FleetTokenRequest* request,
                                  v1::FleetTokenResponse* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListPairsRequest* request,
                                 v1::ListPairsResponse* response) override;
  grpc::ServerUnaryReactor* Show(grpc::CallbackServerContext* context,
                                 const v1::ShowPairRequest* request,
                                 v1::ShowPairResponse* response) override;
  grpc::ServerWriteReactor<v1::PairChanges>* Watch(grpc::CallbackServerContext* context,
                                                   const v1::WatchPairsRequest* request) override;
  grpc::ServerWriteReactor<v1::FleetEvents>* Events(grpc::CallbackServerContext* context,
                                                    const v1::FleetEventsRequest* request) override;
  grpc::ServerWriteReactor<v1::FlowsSeen>* Flows(grpc::CallbackServerContext* context,
                                                 const v1::FleetFlowsRequest* request) override;
  grpc::ServerUnaryReactor* Label(grpc::CallbackServerContext* context,
                                  const v1::LabelPairRequest* request,
                                  v1::LabelPairResponse* response) override;
  grpc::ServerUnaryReactor* Forget(grpc::CallbackServerContext* context,
                                   const v1::ForgetPairRequest* request,
                                   v1::ForgetPairResponse* response) override;
  grpc::ServerWriteReactor<v1::Step>* Switchover(
      grpc::CallbackServerContext* context, const v1::FleetSwitchoverRequest* request) override;
  grpc::ServerWriteReactor<v1::Step>* EnterMaintenance(
      grpc::CallbackServerContext* context, const v1::FleetEnterRequest* request) override;
  grpc::ServerWriteReactor<v1::Step>* StartMaintenance(
      grpc::CallbackServerContext* context, const v1::FleetStartRequest* request) override;
  grpc::ServerWriteReactor<v1::RunEvent>* Run(grpc::CallbackServerContext* context,
                                              const v1::FleetRunRequest* request) override;

  absl::StatusOr<v1::ListPairsResponse> ListOf(const v1::ListPairsRequest& request) const;
  absl::StatusOr<Store::Query> QueryOf(const v1::FleetEventsRequest& request, bool* none) const;
  // Asks whoever `whom` names, and passes the steps on.
  grpc::ServerWriteReactor<v1::Step>* Steer(const access::Asked& asked,
                                            std::function<absl::StatusOr<AgentId>()> whom,
                                            v1::FleetRequest request);

  Loop& loop_;
  access::Desk& desk_;
  Hub& hub_;
  Enrolment& enrolment_;
  const std::shared_ptr<Sources> sources_ = std::make_shared<Sources>();
};

}  // namespace zcluster::controller
