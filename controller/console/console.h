// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/console/http_console.h"
#include "controller/hub/figures.h"

namespace zcluster::controller {

// What the controller shows on /metrics and /healthz, from the figures that the hub leaves each
// second. Any thread.
class Console {
 public:
  // From now on these. The counts among them never fall as long as the controller runs.
  void Show(Figures figures) ABSL_LOCKS_EXCLUDED(mutex_);

  // For HttpConsole, which must be gone before this.
  http_console::Content content();

 private:
  std::shared_ptr<const Figures> Latest() const ABSL_LOCKS_EXCLUDED(mutex_);

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Figures> latest_ ABSL_GUARDED_BY(mutex_) =
      std::make_shared<const Figures>();
};

// `figures` as metrics.
void Measure(const Figures& figures, http_console::Metrics& metrics);

}  // namespace zcluster::controller
