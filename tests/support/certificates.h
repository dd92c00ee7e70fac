// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/tls.h"

namespace zcluster::test {

// A directory that goes away with it.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

enum class KeyKind { kEcdsa, kRsa };

// What is special about a certificate.
struct CertificateOptions {
  std::string uri = {};                         // SAN URI; none if empty
  std::string second_uri = {};                  // another one
  absl::Duration valid_from = -absl::Hours(1);  // from now
  absl::Duration valid_to = absl::Hours(1);
  KeyKind kind = KeyKind::kEcdsa;
  bool self_signed = false;
  std::string extended_key_usage = {};  // such as "serverAuth"; none if empty
};

// A certificate authority of a test: makes certificates in a directory. Aborts the test when
// OpenSSL fails.
class Authority {
 public:
  // Writes DIRECTORY/NAME-ca.crt.
  Authority(std::string directory, std::string name);
  ~Authority();

  // Writes DIRECTORY/NAME.crt and .key, replacing both, and names them with this authority's own
  // file.
  tls::Files Issue(const std::string& name, const CertificateOptions& options) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// `certificate` (PEM) with other dates, from now, signed anew with `key` (PEM), its issuer's.
std::string Redated(const std::string& certificate, const std::string& key, absl::Duration from,
                    absl::Duration to);

}  // namespace zcluster::test
