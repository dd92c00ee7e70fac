// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/certificate.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

// TLS 1.3, mutual, identities by the SAN URI of the certificate. Keys are ECDSA or Ed25519 (why:
// see RequireTls13).
namespace zcluster::tls {

// PEM files.
struct Files {
  std::string certificate;  // our own, then the intermediate ones, if any
  std::string key;
  std::string ca;
};

// Who the other side must be: one, or whoever is accepted.
struct Expected {
  // Exactly this, such as zcluster://PAIR/node/NAME; not looked at if `accept` is there.
  std::string uri = {};
  // OK, or a sentence that says why not. Called from gRPC's threads at each handshake, must not
  // block.
  std::function<absl::Status(const Identity&)> accept = {};
  // What sentences say was hoped for, and how they call the certificate; for use with `accept`.
  std::string whom = {};
  std::string called = "the peer's certificate";
};

// The identity of a node, as its certificate carries it.
std::string NodeUri(absl::string_view pair, absl::string_view node);
// The identity of an operator.
std::string OperatorUri(absl::string_view pair, absl::string_view name);

// The identity of an agent in a fleet; `pair` as the fleet calls it.
std::string AgentUri(absl::string_view fleet, absl::string_view pair, absl::string_view node);
// The identity of a controller of a fleet.
std::string ControllerUri(absl::string_view fleet, absl::string_view name);

// Told why a peer was refused, as a sentence fit for `zctl nodes`: "the peer's certificate expired
// on ...", "... is not signed by the pair's CA", "... is for zcluster://lab/node/x, expected ...".
// Called from gRPC's threads, must not block.
using OnRefused = std::function<void(const std::string& reason)>;

// Must come before the first use of gRPC in the process and before its threads: it sets gRPC's
// environment. Leaves only TLS 1.3 possible. Also silences gRPC's own log unless GRPC_VERBOSITY is
// set: it prints each refused handshake again, without the reason that we name.
void RequireTls13();

// Checks our own files: readable, the key belongs to the certificate, not expired, signed by the
// CA, carries `own_uri`. The error names the file and what is wrong. Reads three small files.
absl::Status CheckOwnFiles(const Files& files, const std::string& own_uri);

// Credentials for either side. A peer gets through only with a certificate that is signed by the
// CA, valid now and for this use, and whose only SAN URI is `peer.uri` or accepted; all else, and a
// CA file that cannot be read, is refused. The files are watched: renewed ones, also behind a link
// that moved, serve new connections within two seconds. (If key and certificate change between
// gRPC's two reads, new connections are refused until it looks again, a second later.) Neither
// renewal nor expiry cuts a live connection. Check the files first: credentials made of broken ones
// exist, but nobody gets through.
std::shared_ptr<grpc::ChannelCredentials> ClientCredentials(const Files& files, Expected peer,
                                                            OnRefused refused);
std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const Files& files, Expected peer,
                                                           OnRefused refused);

}  // namespace zcluster::tls
