// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "agent/config/check.h"
#include "agent/config/config.h"
#include "common/status.h"
#include "common/yaml.h"
#include "zcluster/v1/config.pb.h"

namespace zcluster::config {
namespace {

constexpr int kDefaultPort = 7700;
constexpr int kMaxLinks = 8;

// The problem, said at its place in the file.
absl::Status At(const YamlDocument& document, absl::string_view field, const absl::Status& status) {
  return status.ok() ? status : document.ErrorAt(field, status.message());
}

absl::Status CheckIpv4(const YamlDocument& document, absl::string_view field,
                       std::string& address) {
  if (address.empty())
    return document.ErrorAt(field,
                            "is missing; expected this node's IPv4 address on the VRRP network");
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return At(document, field, parsed.status());
  if (parsed->v6 || parsed->prefix_length >= 0) {
    return document.ErrorAt(
        field, absl::StrCat("is '", address, "'; expected an IPv4 address without prefix length"));
  }
  address = parsed->text;
  return absl::OkStatus();
}

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

absl::Status ReadLinks(const YamlDocument& document, const v1::AgentConfig& file,
                       AgentSettings& settings) {
  if (file.peer().links_size() > kMaxLinks)
    return document.ErrorAt("peer.links", absl::StrCat("has more than ", kMaxLinks, " addresses"));
  for (int i = 0; i < file.peer().links_size(); ++i) {
    ZC_RETURN_IF_ERROR(At(document, absl::StrCat("peer.links[", i, "]"),
                          ParseEndpoint(file.peer().links(i)).status()));
    settings.peer_links.push_back(file.peer().links(i));
  }
  if (settings.peer_links.empty())
    settings.peer_links.push_back(absl::StrCat(settings.peer_address, ":", kDefaultPort));
  settings.listen = file.listen().empty() ? absl::StrCat("[::]:", kDefaultPort) : file.listen();
  const absl::StatusOr<int> port = ParseEndpoint(settings.listen);
  if (!port.ok()) return At(document, "listen", port.status());
  settings.listen_port = *port;
  return absl::OkStatus();
}

// A file that the configuration names must be there: found out now, not at the first connection.
absl::Status CheckReadable(const YamlDocument& document, absl::string_view field,
                           const std::string& path) {
  ZC_RETURN_IF_ERROR(At(document, field, CheckPath(path)));
  if (::access(path.c_str(), R_OK) != 0)
    return document.ErrorAt(field, ErrnoStatus(path).message());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AgentSettings> ParseAgent(absl::string_view file_name, absl::string_view text) {
  YamlDocument document;
  v1::AgentConfig file;
  ZC_RETURN_IF_ERROR(document.Read(file_name, text, file));
  AgentSettings settings;
  settings.node_name = file.node().name().empty() ? HostName() : file.node().name();
  ZC_RETURN_IF_ERROR(At(document, "node.name", CheckNodeName(settings.node_name)));
  settings.node_address = file.node().address();
  ZC_RETURN_IF_ERROR(CheckIpv4(document, "node.address", settings.node_address));
  settings.interface = file.node().interface();
  ZC_RETURN_IF_ERROR(At(document, "node.interface", CheckInterface(settings.interface)));
  settings.peer_name = file.peer().name();
  ZC_RETURN_IF_ERROR(At(document, "peer.name", CheckNodeName(settings.peer_name)));
  if (settings.peer_name == settings.node_name) {
    return document.ErrorAt("peer.name",
                            absl::StrCat("is '", settings.peer_name, "', this node's own name"));
  }
  settings.peer_address = file.peer().address();
  ZC_RETURN_IF_ERROR(CheckIpv4(document, "peer.address", settings.peer_address));
  if (settings.peer_address == settings.node_address) {
    return document.ErrorAt(
        "peer.address", absl::StrCat("is '", settings.peer_address, "', this node's own address"));
  }
  ZC_RETURN_IF_ERROR(ReadLinks(document, file, settings));
  settings.certificate = file.tls().certificate();
  settings.key = file.tls().key();
  settings.ca = file.tls().ca();
  ZC_RETURN_IF_ERROR(CheckReadable(document, "tls.certificate", settings.certificate));
  ZC_RETURN_IF_ERROR(CheckReadable(document, "tls.key", settings.key));
  ZC_RETURN_IF_ERROR(CheckReadable(document, "tls.ca", settings.ca));
  for (int i = 0; i < file.programs_size(); ++i) {
    ZC_RETURN_IF_ERROR(
        At(document, absl::StrCat("programs[", i, "]"), CheckPath(file.programs(i))));
    settings.programs.push_back(file.programs(i));
  }
  return settings;
}

}  // namespace zcluster::config
