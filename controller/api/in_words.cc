// SPDX-License-Identifier: Apache-2.0
#include "controller/api/in_words.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/strings.h"

namespace zcluster::controller {
namespace {

// Of one value, and of values in a line: the audit cuts lines at 1 KiB.
constexpr size_t kMaxValue = 200;
constexpr size_t kMaxValues = 16;

class Words {
 public:
  Words& Add(absl::string_view name, absl::string_view value) {
    if (!value.empty()) words_.push_back(absl::StrCat(name, "=", value.substr(0, kMaxValue)));
    return *this;
  }
  Words& AddFlag(absl::string_view name, bool set) {
    if (set) words_.emplace_back(name);
    return *this;
  }
  // KEY=VALUE each, under a common name, in the order of the keys.
  template <typename Map>
  Words& AddMap(absl::string_view name, const Map& map) {
    std::map<std::string, std::string> sorted(map.begin(), map.end());
    std::vector<std::string> pairs;
    for (const auto& [key, value] : sorted) {
      if (pairs.size() == kMaxValues) break;
      pairs.push_back(absl::StrCat(key.substr(0, kMaxValue), ":", value.substr(0, kMaxValue)));
    }
    return Add(name, absl::StrJoin(pairs, ","));
  }
  std::string Line() const { return absl::StrJoin(words_, " "); }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::string InWords(const v1::FleetTokenRequest& r) {
  const std::string lifetime =
      r.has_lifetime() ? absl::FormatDuration(absl::Seconds(r.lifetime().seconds())) : "";
  return Words()
      .Add("pair", r.pair())
      .AddMap("labels", r.labels())
      .Add("lifetime", lifetime)
      .Line();
}

std::string InWords(const v1::LabelPairRequest& r) {
  std::vector<std::string> removed(r.remove().begin(), r.remove().end());
  removed.resize(std::min(removed.size(), kMaxValues));
  return Words()
      .Add("pair", r.pair())
      .AddMap("set", r.set())
      .Add("remove", absl::StrJoin(removed, ","))
      .Line();
}

std::string InWords(const v1::ForgetPairRequest& r) {
  return Words().Add("pair", r.pair()).Add("node", r.node()).Line();
}

std::string InWords(const v1::FleetSwitchoverRequest& r) {
  return Words()
      .Add("pair", r.pair())
      .AddFlag("force", r.force())
      .Add("reason", Printable(r.reason()))
      .Line();
}

std::string InWords(const v1::FleetEnterRequest& r) {
  const std::string length =
      r.has_length() ? absl::FormatDuration(absl::Seconds(r.length().seconds())) : "";
  return Words()
      .Add("pair", r.pair())
      .Add("node", r.node())
      .AddFlag("force", r.force())
      .Add("for", length)
      .Add("reason", Printable(r.reason()))
      .Line();
}

std::string InWords(const v1::FleetStartRequest& r) {
  return Words().Add("pair", r.pair()).Add("node", r.node()).AddFlag("force", r.force()).Line();
}

std::string InWords(const v1::FleetRunRequest& r) {
  return Words().Add("pair", r.pair()).Add("name", r.run().name()).Line();
}

std::string InWords(const v1::AddOperatorRequest& r) {
  const std::string role = v1::Right_IsValid(r.role()) ? v1::Right_Name(r.role()) : "unknown";
  return Words().Add("name", r.name()).Add("role", role).Line();
}

std::string InWords(const v1::RevokeOperatorRequest& r) {
  return Words().Add("name", r.name()).Line();
}

}  // namespace zcluster::controller
