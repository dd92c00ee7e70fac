// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

// TLS 1.3 where keys alone count: no names, no dates, no CA. For ports on which who calls is
// settled by what it says first, bound to the keys of that very connection.
namespace zcluster::tls {

// A key, and a certificate that says nothing but the key. PEM.
struct Credential {
  std::string key;
  std::string certificate;
  std::string fingerprint;
};

// A new one, in memory: a caller's, for one join.
absl::StatusOr<Credential> MakeCredential();

// One that is kept, in `directory`: DIRECTORY/node.key and node.crt, 0600. The key is made once;
// the certificate again whenever it is missing or is not the key's.
absl::StatusOr<Credential> LoadCredential(const std::string& directory);

// Whether to talk to whoever has proved to hold the key of that fingerprint. Any thread, must not
// block.
using Judge = std::function<absl::Status(const std::string& fingerprint)>;

// `own` is shown to the other side, and `judge` is asked after the TLS handshake, before a byte of
// HTTP/2.
std::shared_ptr<grpc::ChannelCredentials> KeyedClientCredentials(const Credential& own,
                                                                 Judge judge);
// Whoever calls must show a key, any key of a kind that keeps TLS 1.2 out.
std::shared_ptr<grpc::ServerCredentials> KeyedServerCredentials(const Credential& own);

}  // namespace zcluster::tls
