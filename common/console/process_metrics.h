// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "common/console/metrics.h"

namespace zcluster::http_console {

// What /proc says of this process, under the names that every Prometheus client library uses:
// process_start_time_seconds, process_resident_memory_bytes and so on. What cannot be read is left
// out. Any thread.
void MeasureProcess(Metrics& metrics);

}  // namespace zcluster::http_console
