// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace prometheus {
struct ClientMetric;
struct MetricFamily;
}  // namespace prometheus

namespace zcluster::http_console {

// One page of metrics in the making. A family begins with its first sample: all samples of a name
// come one after the other, with the same help and different labels. One thread at a time.
class Metrics {
 public:
  // Names and values. A value may be anything: what is no UTF-8 is written as \xFF, because a
  // single such byte would cost the whole page.
  using Labels = std::vector<std::pair<std::string, std::string>>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // What may go up and down. `help` is one sentence of ours, without a full stop.
  void Gauge(absl::string_view name, absl::string_view help, double value,
             const Labels& labels = {});
  // What only grows, from 0 at the start of the daemon; its name ends in _total.
  void Counter(absl::string_view name, absl::string_view help, double value,
               const Labels& labels = {});
  // A gauge for each of `states`, 1 for the one that `is`, 0 for the others; `label` tells them
  // apart.
  void State(absl::string_view name, absl::string_view help, absl::string_view label,
             const std::vector<std::string>& states, absl::string_view is);

  // The page, in Prometheus' text format 0.0.4.
  std::string Text() const;

 private:
  prometheus::ClientMetric& Sample(absl::string_view name, absl::string_view help, bool counter,
                                   const Labels& labels);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace zcluster::http_console
