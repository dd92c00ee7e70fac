// SPDX-License-Identifier: Apache-2.0
#include "agent/config/config.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/status.h"

namespace zcluster::config {

namespace {
constexpr size_t kMaxFile = 4 << 20;  // an operator's file is some pages
}  // namespace

std::string Vip::WithPrefix() const { return absl::StrCat(address, "/", prefix_length); }

std::vector<std::string> AgentSettings::LinkAddresses() const {
  std::set<std::string> hosts = {peer_address};
  for (const std::string& link : peer_links) {
    std::string host = link.substr(0, link.rfind(':'));
    if (host.front() == '[') host = host.substr(1, host.size() - 2);
    hosts.insert(std::move(host));
  }
  return {hosts.begin(), hosts.end()};
}

absl::StatusOr<Settings> Load(const std::string& agent_path, const std::string& pair_path) {
  absl::StatusOr<std::string> agent_text = ReadFile(agent_path, kMaxFile);
  if (absl::IsNotFound(agent_text.status())) agent_text = "";
  ZC_RETURN_IF_ERROR(agent_text.status());
  ZC_ASSIGN_OR_RETURN(AgentSettings agent, ParseAgent(agent_path, *agent_text));
  if (!agent.in_pair) return Settings{std::move(agent), absl::nullopt};
  ZC_ASSIGN_OR_RETURN(const std::string pair_text, ReadFile(pair_path, kMaxFile));
  ZC_ASSIGN_OR_RETURN(PairSettings pair, ParsePair(pair_path, pair_text, agent));
  return Settings{std::move(agent), std::move(pair)};
}

}  // namespace zcluster::config
