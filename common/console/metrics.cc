// SPDX-License-Identifier: Apache-2.0
#include "common/console/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "common/check.h"

namespace zcluster::http_console {
namespace {

// How many bytes the UTF-8 character at the beginning of `text` has; 0: it is none (RFC 3629, 4).
size_t CharacterAt(absl::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool too_large = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || too_large ? 0 : length;
}

std::string Utf8(absl::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t length = CharacterAt(text);
    if (length > 0) {
      result.append(text.data(), length);
    } else {
      absl::StrAppendFormat(&result, "\\x%02X", static_cast<unsigned char>(text[0]));
    }
    text.remove_prefix(length > 0 ? length : 1);
  }
  return result;
}

}  // namespace

Metrics::Metrics() = default;
Metrics::~Metrics() = default;

void Metrics::Gauge(absl::string_view name, absl::string_view help, double value,
                    const Labels& labels) {
  Sample(name, help, /*counter=*/false, labels).gauge.value = value;
}

void Metrics::Counter(absl::string_view name, absl::string_view help, double value,
                      const Labels& labels) {
  ZC_CHECK(absl::EndsWith(name, "_total"));
  Sample(name, help, /*counter=*/true, labels).counter.value = value;
}

void Metrics::State(absl::string_view name, absl::string_view help, absl::string_view label,
                    const std::vector<std::string>& states, absl::string_view is) {
  for (const std::string& state : states) {
    Gauge(name, help, state == is ? 1 : 0, {{std::string(label), state}});
  }
}

prometheus::ClientMetric& Metrics::Sample(absl::string_view name, absl::string_view help,
                                          bool counter, const Labels& labels) {
  if (families_.empty() || families_.back().name != name) {
    // The serialiser writes it as it is, and a line break would begin a line of its own.
    ZC_CHECK(!absl::StrContains(help, '\n') && !absl::StrContains(help, '\\'));
    prometheus::MetricFamily& family = families_.emplace_back();
    family.name = std::string(name);
    family.help = std::string(help);
    family.type = counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  }
  prometheus::ClientMetric& sample = families_.back().metric.emplace_back();
  for (const auto& [label, value] : labels) sample.label.push_back({label, Utf8(value)});
  return sample;
}

std::string Metrics::Text() const { return prometheus::TextSerializer().Serialize(families_); }

}  // namespace zcluster::http_console
