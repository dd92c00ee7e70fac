// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace grpc {
class Channel;
class ChannelCredentials;
}  // namespace grpc

namespace zcluster::peer {

// The channel to the peer, for the link and for the rooms that replicate. `addresses` are numeric,
// "10.0.0.2:7700" or
// "[fd00::2]:7700", not empty, and tried in this order, a second each; a connection that lives
// stays where it is, and the first address has its chance again when that one breaks. A dead wire
// is noticed within two seconds, also without calls. Messages are at most 4 MiB. Any thread;
// returns at once, and connects with the first call.
std::shared_ptr<grpc::Channel> MakeChannel(
    const std::vector<std::string>& addresses,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials);

}  // namespace zcluster::peer
