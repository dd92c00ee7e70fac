// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/adapter.h"
#include "common/loop.h"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace zcluster::v1 {
class ControllerState;
class GetStatusResponse;
}  // namespace zcluster::v1

namespace zcluster {
class AuditTrail;
class EventJournal;
class Guard;
}  // namespace zcluster

// What operators call: the services behind zctl.
namespace zcluster::api {

class Lifecycle;

// What is shown that the brain does not know.
struct Options {
  struct Vip {
    std::string address;    // with prefix length
    std::string interface;  // that carries it
  };
  // This node is in no pair, and so it is shown; all that is asked of a pair is refused. Such an
  // Api is not Start()ed: there is no brain.
  bool unconfigured = false;
  std::string pair;
  uint64_t generation = 0;  // of the pair's configuration
  std::string version;      // of this program
  std::vector<Vip> vips;
  absl::Duration advert_interval = absl::Seconds(1);
  // Shown until the brain has published its first view.
  std::string node_name;
  std::string node_address;
  std::string peer_name;
  std::string peer_address;
  std::string kept_dir;  // files that the peer's have overwritten: common/kept_files.h
};

// Shows the brain's latest view and hands it what operators ask for: reports OperationAsked (with
// ids from 1; 0 is the brain's own), takes Publish, Progressed and Finished. An operation goes on
// when the client that asked for it is gone.
//
// Servers that serve our services may start before Start() and may outlive Stop() (calls are then
// answered UNAVAILABLE), but must have ended before this object does.
class Api : public Adapter {
 public:
  // `peer` leads to the other node's peer_services(); null: nothing is passed on. The references
  // must outlive this object. Every call is one that `guard` let in.
  Api(Loop& loop, Options options, std::shared_ptr<grpc::Channel> peer, Guard& guard,
      AuditTrail& audit, Lifecycle& lifecycle);
  ~Api() override;

  // For operators, on this node and from elsewhere: ClusterService, MaintenanceService,
  // NodeService, OperatorService.
  std::vector<grpc::Service*> local_services();
  // For the peer link's server: MaintenanceService, of which only Switchover answers, and never
  // passes on; ClusterService, of which only Nodes and Events answer.
  std::vector<grpc::Service*> peer_services();

  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  void Stop() override;

  // What is shown from now on. Loop thread.
  void Reconfigure(Options options);
  // `state` tells of the link to the controller whenever it is to be shown; it outlives Stop().
  // Loop thread, or before Start().
  void ShowController(std::function<v1::ControllerState()> state);
  // What happened is read from `journal`, which outlives this object; until then there is nothing
  // to read. Before Start().
  void ShowEvents(EventJournal& journal);
  // What GetStatus answers now. Loop thread.
  v1::GetStatusResponse Status() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace zcluster::api
