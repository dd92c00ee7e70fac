// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/duration.pb.h>

#include "absl/time/time.h"

namespace zcluster::controller_link {

// Whatever stands in it: Abseil's durations saturate.
inline absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace zcluster::controller_link
