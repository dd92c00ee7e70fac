// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "common/tls.h"

namespace zcluster::test {

enum class TlsVersion { k12, k13 };

// A TLS client without gRPC, as a stranger would write one: connects to 127.0.0.1:`port` with at
// most `highest`, offers HTTP/2, and shows the certificate of `files` unless that is null. Believes
// any server. Returns the version once the server has sent it a byte of HTTP/2 ("TLSv1.3"), else
// "refused". Blocks for at most five seconds.
std::string ProbeTls(int port, TlsVersion highest, const tls::Files* files);

}  // namespace zcluster::test
