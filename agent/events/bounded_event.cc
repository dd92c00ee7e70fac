// SPDX-License-Identifier: Apache-2.0
#include "agent/events/bounded_event.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace zcluster::events {
namespace {

constexpr absl::string_view kCut = "…";

// The text comes from configuration and from the peer too, and goes to terminals and browsers.
std::string Printable(absl::string_view text, size_t most) {
  std::string out;
  size_t fits = 0;  // of `out`, with room for kCut behind it
  for (const char c : text) {
    if (absl::ascii_isprint(static_cast<unsigned char>(c))) {
      out.push_back(c);
    } else {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(c));
    }
    if (out.size() + kCut.size() <= most) fits = out.size();
    if (out.size() > most) {
      out.resize(fits);
      out.append(kCut.data(), kCut.size());
      return out;
    }
  }
  return out;
}

}  // namespace

v1::Event BoundedEvent(const core::LogDecision& decision, absl::Time at) {
  v1::Event event;
  const timespec parts = absl::ToTimespec(at);
  event.mutable_at()->set_seconds(parts.tv_sec);
  event.mutable_at()->set_nanos(static_cast<int32_t>(parts.tv_nsec));
  event.set_name(Printable(decision.event, kMaxNameBytes));
  event.set_warning(decision.warning);
  const size_t fields = std::min(decision.fields.size(), kMaxFields);
  for (size_t i = 0; i < fields; ++i) {
    v1::Event::Field& field = *event.add_fields();
    field.set_name(Printable(decision.fields[i].first, kMaxNameBytes));
    field.set_value(Printable(decision.fields[i].second, kMaxValueBytes));
  }
  return event;
}

}  // namespace zcluster::events
