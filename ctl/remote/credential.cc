// SPDX-License-Identifier: Apache-2.0
#include "ctl/remote/credential.h"

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/certificate.h"
#include "common/status.h"
#include "ctl/output/yaml.h"

namespace zcluster::ctl {
namespace {

constexpr size_t kMaxAddresses = 16;
constexpr char kKeys[] = "pair, operator, addresses, certificate, key, ca";

absl::Status Wrong(absl::string_view file, int line, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(file, ":", line, ": ", problem));
}

int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

absl::Status ReadAddresses(absl::string_view file, const YAML::Node& list, Credential& credential) {
  if (!list.IsSequence() || list.size() == 0 || list.size() > kMaxAddresses) {
    return Wrong(file, LineOf(list),
                 absl::StrCat("addresses: expected a list of 1 to ", kMaxAddresses));
  }
  for (const YAML::Node& address : list) {
    const std::string text = address.IsScalar() ? address.Scalar() : "";
    const absl::Status good = CheckAddress(text);
    if (!good.ok()) {
      return Wrong(file, LineOf(address), absl::StrCat("addresses: ", good.message()));
    }
    credential.addresses.push_back(text);
  }
  return absl::OkStatus();
}

absl::StatusOr<Credential> Read(absl::string_view file, const YAML::Node& document) {
  Credential credential;
  const std::map<std::string, std::string*> texts = {{"pair", &credential.pair},
                                                     {"operator", &credential.name},
                                                     {"certificate", &credential.certificate},
                                                     {"key", &credential.key},
                                                     {"ca", &credential.ca}};
  if (!document.IsMap()) {
    return Wrong(file, 1, absl::StrCat("not a credential; expected the keys ", kKeys));
  }
  for (const auto& item : document) {
    const std::string key = item.first.IsScalar() ? item.first.Scalar() : "";
    if (key == "addresses") {
      ZC_RETURN_IF_ERROR(ReadAddresses(file, item.second, credential));
      continue;
    }
    const auto text = texts.find(key);
    if (text == texts.end()) {
      return Wrong(file, LineOf(item.first), absl::StrCat("unknown key; expected ", kKeys));
    }
    if (!item.second.IsScalar() || item.second.Scalar().empty()) {
      return Wrong(file, LineOf(item.first), absl::StrCat(key, ": expected a text"));
    }
    *text->second = item.second.Scalar();
  }
  for (const auto& [key, text] : texts) {
    if (text->empty()) return Wrong(file, 1, absl::StrCat(key, ": is missing"));
  }
  if (credential.addresses.empty()) return Wrong(file, 1, "addresses: is missing");
  return credential;
}

}  // namespace

std::string CredentialText(const Credential& credential) {
  return Yaml(Json::Object({{"pair", Json::String(credential.pair)},
                            {"operator", Json::String(credential.name)},
                            {"addresses", Json::Strings(credential.addresses)},
                            {"certificate", Json::String(credential.certificate)},
                            {"key", Json::String(credential.key)},
                            {"ca", Json::String(credential.ca)}}));
}

absl::StatusOr<Credential> ParseCredential(absl::string_view file, absl::string_view text) {
  // yaml-cpp reports what it cannot parse by exception: they end here.
  try {
    return Read(file, YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    return Wrong(file, error.mark.line + 1, absl::StrCat("is not YAML: ", error.msg));
  }
}

absl::Status CheckCredential(const Credential& credential) {
  ZC_RETURN_IF_ERROR(tls::CheckCertificate(
      {.certificate = credential.certificate,
       .chain = credential.certificate,
       .ca = credential.ca,
       .called = "the credential's certificate"},
      tls::Use::kClient,
      absl::StrCat("zcluster://", credential.pair, "/operator/", credential.name)));
  return Annotate(tls::CheckKey(credential.certificate, credential.key), "the credential's key");
}

absl::Status CheckAddress(absl::string_view address) {
  const size_t colon = address.rfind(':');
  const absl::string_view host = address.substr(0, colon);
  uint32_t port = 0;
  const bool bracketed = absl::StartsWith(host, "[") && absl::EndsWith(host, "]");
  if (colon == absl::string_view::npos || host.empty() ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port == 0 || port > 65535 ||
      (absl::StrContains(host, ":") && !bracketed) || absl::StrContains(host, "/")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", address, "' is not HOST:PORT, such as 192.0.2.1:7702 or [2001:db8::1]:7702"));
  }
  return absl::OkStatus();
}

}  // namespace zcluster::ctl
