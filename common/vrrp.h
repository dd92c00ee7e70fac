// SPDX-License-Identifier: Apache-2.0
#pragma once

// What VRRP says on the wire (RFC 5798), for whoever hears or sends it beside keepalived.
namespace zcluster::vrrp {

inline constexpr int kProtocol = 112;           // of IP: 5.1.1.4
inline constexpr char kGroup[] = "224.0.0.18";  // where multicast adverts go: 5.1.1.2
inline constexpr int kTtl = 255;                // of adverts; any other is no neighbour's: 5.1.1.3

}  // namespace zcluster::vrrp
