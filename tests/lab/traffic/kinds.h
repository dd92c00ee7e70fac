// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/lab/traffic/control.h"
#include "tests/lab/traffic/report.h"

namespace zcluster::traffic {

// The port of the kinds that have one; FTP has its own.
inline constexpr uint16_t kKindsPort = 7100;

struct KindsOptions {
  std::string to;   // the VIP, IPv4
  std::string to6;  // and IPv6
};

// One flow of each kind, said something on every 20 ms for as long as it runs: UDP, ICMP echo,
// SCTP, GRE, a protocol without a tracker, over IPv6 too, and a control connection of FTP. Each
// says which backend answered, but echo, where none can tell. After each mark FTP opens the data
// connection that it had announced before, and announces the next. Reports, as JSON, an object a
// kind:
//   answered         since the last mark
//   others           answers by another backend than the first, ever
// and `ready`: every kind was answered, and FTP has announced. SCTP and the raw protocols are made
// by hand. Needs root.
int Kinds(const KindsOptions& options, Control& control, Reporter& reporter);

// The backend of it: answers each with `name`.
int ServeKinds(const std::string& name, Control& control);

}  // namespace zcluster::traffic
