// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/controller_link/node_call.h"
#include "agent/event_journal.h"
#include "common/access.h"
#include "common/tls.h"
#include "zcluster/v1/cluster.pb.h"

namespace zcluster::controller_link {

// What is configured.
struct Options {
  std::vector<std::string> addresses;  // of the controller, ADDRESS:PORT, tried in order
  std::vector<std::string> enrolment;  // where it enrols nodes, likewise
  std::string token_file;
  access::Right allow = access::Right::kViewer;  // the most that its operators may do here
  std::string directory;                         // where the fleet's identity is kept
  std::string pair;
  std::string node;
  tls::Files pair_files;  // this node's identity in its pair
  std::string version;    // of this program
  // For the connection and its Welcome.
  absl::Duration patience = absl::Seconds(10);
};

// What is around the link. All outlive it.
struct Surroundings {
  EventJournal* journal;  // null: there are no events
  NodeDoor node;
  // As `zctl status` shows it. Loop thread.
  std::function<v1::GetStatusResponse()> status;
};

}  // namespace zcluster::controller_link
