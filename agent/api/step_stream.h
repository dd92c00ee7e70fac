// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "common/access/message_stream.h"
#include "zcluster/v1/maintenance.pb.h"

namespace zcluster::api {

// The client's end of an operation: its steps, then how it ended. A client that takes none of them
// loses the stream; the operation goes on.
using StepStream = access::MessageStream<v1::Step>;

}  // namespace zcluster::api
