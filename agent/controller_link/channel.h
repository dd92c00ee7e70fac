// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"

namespace grpc {
class Channel;
class ChannelCredentials;
class Status;
}  // namespace grpc

namespace zcluster::controller_link {

// A channel of its own to one ADDRESS:PORT of the controller.
std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& address, const std::shared_ptr<grpc::ChannelCredentials>& credentials);

// Why a call over it ended, in our words and with its address. What the controller itself says
// keeps its code and its words; what kept us from reaching it is UNAVAILABLE; that it is not whom
// we want to talk to is UNAUTHENTICATED.
struct Ended {
  absl::Status status;
  bool reached = false;  // the status is the controller's own
};
Ended WhyEnded(const grpc::Status& status, const std::string& address);

}  // namespace zcluster::controller_link
