// SPDX-License-Identifier: Apache-2.0
#include "controller/config/config.h"

#include <unistd.h>

#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/status.h"
#include "common/values.h"
#include "common/yaml.h"
#include "zcluster/v1/controller_config.pb.h"

namespace zcluster::controller {
namespace {

constexpr size_t kMaxFile = 1 << 20;  // an operator's file is a page
constexpr int kMaxAddresses = 8;
constexpr int kAgentsPort = 7800;
constexpr int kEnrolmentPort = 7801;
constexpr int kApiPort = 7802;
constexpr int kMetricsPort = 7803;

// A value with its bounds, as the file's schema (controller_config.proto) has them.
template <typename T>
struct Range {
  T least;
  T most;
  T normal;
};
constexpr Range<uint64_t> kEvents = {1'000, 100'000'000, 1'000'000};
constexpr Range<uint64_t> kAgents = {1, 100'000, 20'000};
constexpr Range<uint64_t> kMessages = {1, 10'000, 100};
const Range<absl::Duration> kReport = {absl::Seconds(1), absl::Minutes(10), absl::Seconds(15)};
const Range<absl::Duration> kLifetime = {absl::Seconds(10), absl::Hours(825 * 24),
                                         absl::Hours(90 * 24)};

absl::Status At(const YamlDocument& document, absl::string_view field, const absl::Status& status) {
  return status.ok() ? status : document.ErrorAt(field, status.message());
}

absl::StatusOr<uint64_t> Number(const YamlDocument& document, absl::string_view field,
                                uint64_t given, const Range<uint64_t>& range) {
  if (given == 0) return range.normal;
  if (given >= range.least && given <= range.most) return given;
  return document.ErrorAt(
      field, absl::StrCat("is ", given, "; expected ", range.least, " to ", range.most));
}

absl::StatusOr<absl::Duration> Time(const YamlDocument& document, absl::string_view field,
                                    bool given, const google::protobuf::Duration& value,
                                    const Range<absl::Duration>& range) {
  if (!given) return range.normal;
  const absl::Duration duration = absl::Seconds(value.seconds()) + absl::Nanoseconds(value.nanos());
  if (duration >= range.least && duration <= range.most) return duration;
  return document.ErrorAt(field, absl::StrCat("is ", absl::FormatDuration(duration), "; expected ",
                                              absl::FormatDuration(range.least), " to ",
                                              absl::FormatDuration(range.most)));
}

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

absl::StatusOr<std::string> Listen(const YamlDocument& document, absl::string_view field,
                                   const std::string& given, int port) {
  const std::string listen = given.empty() ? absl::StrCat("[::]:", port) : given;
  ZC_RETURN_IF_ERROR(At(document, field, values::ParseEndpoint(listen).status()));
  return listen;
}

absl::Status ReadNames(const YamlDocument& document, const v1::ControllerConfig& file,
                       Settings& settings) {
  settings.fleet = file.name().empty() ? "fleet" : file.name();
  ZC_RETURN_IF_ERROR(At(document, "name", values::CheckName(settings.fleet)));
  settings.name = file.controller();
  if (!settings.name.empty())
    return At(document, "controller", values::CheckNodeName(settings.name));
  settings.name = HostName();
  const absl::Status status = values::CheckNodeName(settings.name);
  if (status.ok()) return status;
  return document.ErrorAt("controller",
                          absl::StrCat("is left out, and the host name ", status.message()));
}

absl::Status ReadPorts(const YamlDocument& document, const v1::ControllerConfig& file,
                       Settings& settings) {
  ZC_ASSIGN_OR_RETURN(settings.agents_listen,
                      Listen(document, "agents.listen", file.agents().listen(), kAgentsPort));
  ZC_ASSIGN_OR_RETURN(settings.enrolment_listen, Listen(document, "enrolment.listen",
                                                        file.enrolment().listen(), kEnrolmentPort));
  ZC_ASSIGN_OR_RETURN(settings.api_listen,
                      Listen(document, "api.listen", file.api().listen(), kApiPort));
  settings.metrics_listen = file.metrics().listen();
  if (settings.metrics_listen == "off") return absl::OkStatus();
  const std::string metrics = settings.metrics_listen.empty()
                                  ? absl::StrCat("127.0.0.1:", kMetricsPort)
                                  : settings.metrics_listen;
  ZC_ASSIGN_OR_RETURN(settings.metrics_listen,
                      Listen(document, "metrics.listen", metrics, kMetricsPort));
  return absl::OkStatus();
}

absl::Status ReadAddresses(const YamlDocument& document, const v1::ControllerConfig& file,
                           Settings& settings) {
  if (file.addresses_size() > kMaxAddresses) {
    return document.ErrorAt("addresses",
                            absl::StrCat("has more than ", kMaxAddresses, " addresses"));
  }
  std::vector<std::string> hosts(file.addresses().begin(), file.addresses().end());
  for (size_t i = 0; i < hosts.size(); ++i) {
    const absl::StatusOr<values::Address> address = values::ParseAddress(hosts[i]);
    if (address.ok() && address->prefix_length < 0) {
      hosts[i] = address->v6 ? absl::StrCat("[", address->text, "]") : address->text;
    } else {
      ZC_RETURN_IF_ERROR(
          At(document, absl::StrCat("addresses[", i, "]"), values::CheckNodeName(hosts[i])));
    }
  }
  if (hosts.empty()) hosts.push_back(HostName());
  ZC_ASSIGN_OR_RETURN(const int port, values::ParseEndpoint(settings.api_listen));
  for (const std::string& host : hosts)
    settings.api_addresses.push_back(absl::StrCat(host, ":", port));
  return absl::OkStatus();
}

absl::Status ReadBounds(const YamlDocument& document, const v1::ControllerConfig& file,
                        Settings& settings) {
  ZC_ASSIGN_OR_RETURN(settings.report_interval,
                      Time(document, "report_interval", file.has_report_interval(),
                           file.report_interval(), kReport));
  ZC_ASSIGN_OR_RETURN(settings.certificate_lifetime,
                      Time(document, "certificates.lifetime", file.certificates().has_lifetime(),
                           file.certificates().lifetime(), kLifetime));
  ZC_ASSIGN_OR_RETURN(settings.max_events,
                      Number(document, "history.events", file.history().events(), kEvents));
  ZC_ASSIGN_OR_RETURN(const uint64_t agents,
                      Number(document, "limits.agents", file.limits().agents(), kAgents));
  ZC_ASSIGN_OR_RETURN(const uint64_t messages,
                      Number(document, "limits.agent_messages_per_second",
                             file.limits().agent_messages_per_second(), kMessages));
  settings.max_agents = static_cast<uint32_t>(agents);
  settings.agent_messages_per_second = static_cast<uint32_t>(messages);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Settings> ParseSettings(absl::string_view file_name, absl::string_view text) {
  YamlDocument document;
  v1::ControllerConfig file;
  ZC_RETURN_IF_ERROR(document.Read(file_name, text, file));
  Settings settings;
  ZC_RETURN_IF_ERROR(ReadNames(document, file, settings));
  ZC_RETURN_IF_ERROR(ReadPorts(document, file, settings));
  ZC_RETURN_IF_ERROR(ReadAddresses(document, file, settings));
  ZC_RETURN_IF_ERROR(ReadBounds(document, file, settings));
  return settings;
}

absl::StatusOr<Settings> LoadSettings(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path, kMaxFile);
  if (absl::IsNotFound(text.status())) text = "";
  ZC_RETURN_IF_ERROR(text.status());
  return ParseSettings(path, *text);
}

}  // namespace zcluster::controller
