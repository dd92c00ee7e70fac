// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/config/check.h"
#include "agent/config/config.h"
#include "common/status.h"
#include "common/strings.h"
#include "common/yaml.h"
#include "zcluster/v1/config.pb.h"

namespace zcluster::config {
namespace {

constexpr int kLinkPort = 7700;
constexpr int kBootstrapPort = 7701;
constexpr int kApiPort = 7702;
constexpr int kEnrolmentPort = 7801;
constexpr char kTokenFile[] = "/etc/zcluster/controller.token";
constexpr int kMaxLinks = 8;
// Plain HTTP: on this machine only, unless somebody says otherwise.
constexpr absl::string_view kMetricsListen = "127.0.0.1:7703";
constexpr absl::Duration kDefaultLifetime = absl::Hours(90 * 24);
constexpr absl::Duration kShortestLifetime = absl::Seconds(10);
// What public CAs had as a bound (CA/Browser Forum, Baseline Requirements 6.3.2), and some
// libraries enforce.
constexpr absl::Duration kLongestLifetime = absl::Hours(825 * 24);

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
  return At(document, field, CheckUnicast(*parsed));
}

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

// Where to listen: as given, or on all addresses.
absl::Status ReadListen(const YamlDocument& document, absl::string_view field,
                        const std::string& given, int default_port, std::string& listen,
                        int& port) {
  listen = given.empty() ? absl::StrCat("[::]:", default_port) : given;
  const absl::StatusOr<int> parsed = ParseEndpoint(listen);
  if (!parsed.ok()) return At(document, field, parsed.status());
  port = *parsed;
  return absl::OkStatus();
}

absl::Status ReadName(const YamlDocument& document, const v1::AgentConfig& file,
                      AgentSettings& settings) {
  settings.node_name = file.node().name();
  if (!settings.node_name.empty())
    return At(document, "node.name", CheckNodeName(settings.node_name));
  settings.node_name = HostName();
  absl::Status status = CheckNodeName(settings.node_name);
  if (status.ok()) return status;
  return document.ErrorAt("node.name",
                          absl::StrCat("is left out, and the host name ", status.message()));
}

absl::Status ReadNode(const YamlDocument& document, const v1::AgentConfig& file,
                      AgentSettings& settings) {
  settings.node_address = file.node().address();
  ZC_RETURN_IF_ERROR(CheckIpv4(document, "node.address", settings.node_address));
  settings.interface = file.node().interface();
  return At(document, "node.interface", CheckInterface(settings.interface));
}

absl::Status ReadPeer(const YamlDocument& document, const v1::AgentConfig& file,
                      AgentSettings& settings) {
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
  if (file.peer().links_size() > kMaxLinks)
    return document.ErrorAt("peer.links", absl::StrCat("has more than ", kMaxLinks, " addresses"));
  for (int i = 0; i < file.peer().links_size(); ++i) {
    ZC_RETURN_IF_ERROR(At(document, absl::StrCat("peer.links[", i, "]"),
                          ParseEndpoint(file.peer().links(i)).status()));
    settings.peer_links.push_back(file.peer().links(i));
  }
  if (settings.peer_links.empty())
    settings.peer_links.push_back(absl::StrCat(settings.peer_address, ":", kLinkPort));
  return absl::OkStatus();
}

// Both sections, or none.
absl::Status ReadPair(const YamlDocument& document, const v1::AgentConfig& file,
                      AgentSettings& settings) {
  settings.in_pair = file.has_node() && file.has_peer();
  if (!settings.in_pair && (file.has_node() || file.has_peer())) {
    return document.ErrorAt(
        file.has_node() ? "peer" : "node",
        "is missing; a node that is in a pair has 'node' and 'peer', another one neither");
  }
  ZC_RETURN_IF_ERROR(ReadName(document, file, settings));
  if (!settings.in_pair) return absl::OkStatus();
  ZC_RETURN_IF_ERROR(ReadNode(document, file, settings));
  return ReadPeer(document, file, settings);
}

absl::Status ReadMetrics(const YamlDocument& document, const v1::AgentConfig& file,
                         AgentSettings& settings) {
  const std::string& given = file.metrics().listen();
  settings.metrics_listen = given.empty() ? std::string(kMetricsListen) : given;
  if (given == "off" || ParseEndpoint(settings.metrics_listen).ok()) return absl::OkStatus();
  return document.ErrorAt(
      "metrics.listen", absl::StrCat("is '", Printable(given), "'; expected ADDRESS:PORT, such as ",
                                     kMetricsListen, ", or off"));
}

// A file that the configuration names must be there: found out now, not at the first connection.
absl::Status CheckReadable(const YamlDocument& document, absl::string_view field,
                           const std::string& path) {
  if (path.empty()) {
    return document.ErrorAt(field,
                            "is missing; give certificate, key and ca, or none of them: then the "
                            "agent uses those that it makes");
  }
  ZC_RETURN_IF_ERROR(At(document, field, CheckPath(path)));
  if (::access(path.c_str(), R_OK) != 0)
    return document.ErrorAt(field, ErrnoStatus(path).message());
  return absl::OkStatus();
}

absl::Status ReadTls(const YamlDocument& document, const v1::AgentConfig& file,
                     AgentSettings& settings) {
  const v1::AgentConfig::Tls& tls = file.tls();
  settings.certificate_lifetime = kDefaultLifetime;
  if (tls.has_lifetime()) {
    settings.certificate_lifetime =
        absl::Seconds(tls.lifetime().seconds()) + absl::Nanoseconds(tls.lifetime().nanos());
  }
  if (settings.certificate_lifetime < kShortestLifetime ||
      settings.certificate_lifetime > kLongestLifetime) {
    return document.ErrorAt("tls.lifetime",
                            absl::StrCat("is ", absl::FormatDuration(settings.certificate_lifetime),
                                         "; expected 10s to 825 days (19800h)"));
  }
  settings.tls_given = !tls.certificate().empty() || !tls.key().empty() || !tls.ca().empty();
  if (!settings.tls_given) return absl::OkStatus();
  settings.certificate = tls.certificate();
  settings.key = tls.key();
  settings.ca = tls.ca();
  ZC_RETURN_IF_ERROR(CheckReadable(document, "tls.certificate", settings.certificate));
  ZC_RETURN_IF_ERROR(CheckReadable(document, "tls.key", settings.key));
  return CheckReadable(document, "tls.ca", settings.ca);
}

absl::Status ReadEndpoints(const YamlDocument& document, absl::string_view field,
                           const google::protobuf::RepeatedPtrField<std::string>& given,
                           std::vector<std::string>& endpoints) {
  if (given.size() > kMaxLinks)
    return document.ErrorAt(field, absl::StrCat("has more than ", kMaxLinks, " addresses"));
  for (int i = 0; i < given.size(); ++i) {
    ZC_RETURN_IF_ERROR(
        At(document, absl::StrCat(field, "[", i, "]"), ParseEndpoint(given[i]).status()));
    endpoints.push_back(given[i]);
  }
  return absl::OkStatus();
}

absl::StatusOr<access::Right> ReadAllow(const YamlDocument& document, v1::Right given) {
  switch (given) {
    case v1::RIGHT_UNSPECIFIED:
    case v1::RIGHT_VIEWER:
      return access::Right::kViewer;
    case v1::RIGHT_OPERATOR:
      return access::Right::kOperator;
    case v1::RIGHT_ADMIN:
      return access::Right::kAdmin;
    default:
      return document.ErrorAt("controller.allow", "expected VIEWER, OPERATOR or ADMIN");
  }
}

absl::Status ReadController(const YamlDocument& document, const v1::AgentConfig& file,
                            AgentSettings& settings) {
  if (!file.has_controller()) return absl::OkStatus();
  const v1::AgentConfig::Controller& given = file.controller();
  ControllerSettings controller;
  ZC_RETURN_IF_ERROR(
      ReadEndpoints(document, "controller.addresses", given.addresses(), controller.addresses));
  if (controller.addresses.empty()) {
    return document.ErrorAt("controller.addresses",
                            "is missing; expected where the controller serves agents, "
                            "ADDRESS:PORT, such as 10.40.0.5:7800");
  }
  ZC_RETURN_IF_ERROR(
      ReadEndpoints(document, "controller.enrolment", given.enrolment(), controller.enrolment));
  if (controller.enrolment.empty()) {
    for (const std::string& address : controller.addresses) {
      controller.enrolment.push_back(
          absl::StrCat(address.substr(0, address.rfind(':')), ":", kEnrolmentPort));
    }
  }
  controller.token_file = given.token_file().empty() ? kTokenFile : given.token_file();
  ZC_RETURN_IF_ERROR(At(document, "controller.token_file", CheckPath(controller.token_file)));
  ZC_ASSIGN_OR_RETURN(controller.allow, ReadAllow(document, given.allow()));
  settings.controller = std::move(controller);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AgentSettings> ParseAgent(absl::string_view file_name, absl::string_view text) {
  YamlDocument document;
  v1::AgentConfig file;
  ZC_RETURN_IF_ERROR(document.Read(file_name, text, file));
  AgentSettings settings;
  ZC_RETURN_IF_ERROR(ReadPair(document, file, settings));
  ZC_RETURN_IF_ERROR(ReadListen(document, "listen", file.listen(), kLinkPort, settings.listen,
                                settings.listen_port));
  ZC_RETURN_IF_ERROR(ReadListen(document, "bootstrap.listen", file.bootstrap().listen(),
                                kBootstrapPort, settings.bootstrap_listen,
                                settings.bootstrap_port));
  ZC_RETURN_IF_ERROR(ReadListen(document, "api.listen", file.api().listen(), kApiPort,
                                settings.api_listen, settings.api_port));
  settings.bootstrap_password = !file.bootstrap().has_password() || file.bootstrap().password();
  ZC_RETURN_IF_ERROR(ReadMetrics(document, file, settings));
  ZC_RETURN_IF_ERROR(ReadTls(document, file, settings));
  ZC_RETURN_IF_ERROR(ReadController(document, file, settings));
  for (int i = 0; i < file.programs_size(); ++i) {
    ZC_RETURN_IF_ERROR(
        At(document, absl::StrCat("programs[", i, "]"), CheckPath(file.programs(i))));
    settings.programs.push_back(file.programs(i));
  }
  return settings;
}

}  // namespace zcluster::config
