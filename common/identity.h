// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/tls.h"

// A key, its certificate, and the CA, on disk. One directory a version,
// `DIRECTORY/v7/{node.crt,node.key,ca.crt,ca.key}` (0700, files 0600), and a link
// `DIRECTORY/current`, so that a change is one rename: a crash leaves the old or the new one.
namespace zcluster::identity {

// All of it, PEM.
struct Identity {
  std::string certificate;
  std::string key;
  std::string ca;
  std::string ca_key;  // empty: somebody else renews
};

// Where the present one is, for TLS.
tls::Files FilesIn(const std::string& directory);

// Puts a whole new one in place, durably; older versions but the one before are removed.
absl::Status Install(const std::string& directory, const Identity& identity);
// The present one; NOT_FOUND if there is none.
absl::StatusOr<Identity> Load(const std::string& directory);
// Removes all of it. OK if there is nothing.
absl::Status Remove(const std::string& directory);

// What is looked after.
struct Kept {
  tls::Files files;
  std::string directory;           // where to renew; empty: somebody else renews `files`
  std::string uri;                 // of the certificate
  absl::Duration lifetime;         // of a new one
  std::string certificate_called;  // in sentences: "this node's certificate"
  std::string ca_called;           // "the pair's CA"
  std::string lost_key_remedy;     // should the CA's key be missing: "copy it from the peer"
};

// What a look at the files came to.
struct Finding {
  std::string problem = {};                    // a sentence; empty: all is well
  bool retry = false;                          // something failed that may be mended any moment
  absl::Duration life = absl::ZeroDuration();  // of the certificate, if none failed
};

// Renews the certificate when two thirds of its time have passed, with a new key, signed by the CA
// that lives there; and the CA, with its own key, when a tenth of its time is left. The problem
// names what expires soon (a sixth of its time is left, or it is over) or cannot be renewed, with
// the date and what to do. Small files, read and written here and now.
Finding RenewIfDue(const Kept& kept);

// How long until the next look is due.
absl::Duration NextLook(const Finding& finding);

// When a certificate on disk ends.
absl::StatusOr<absl::Time> ExpiryOf(const std::string& certificate_file);

}  // namespace zcluster::identity
