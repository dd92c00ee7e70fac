// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/adapter.h"
#include "common/backoff.h"
#include "common/loop.h"
#include "common/tls.h"

// Who this node is in its pair: its key and certificate, and the pair's CA with its key. One
// directory a version, `DIRECTORY/v7/{node.crt,node.key,ca.crt,ca.key}` (0700, files 0600), and a
// link `DIRECTORY/current`, so that a change is one rename: a crash leaves the old or the new one.
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

struct Options {
  tls::Files files;         // watched for expiry
  std::string directory;    // where to renew; empty: somebody else renews `files`
  std::string uri;          // of this node
  absl::Duration lifetime;  // of a new certificate
};

// Renews the node's certificate when two thirds of its time have passed, with a new key, signed by
// the CA that lives here; and the CA, with its own key, when a tenth of its time is left. Tells the
// brain (ComponentReported "certificate") when it expires soon (a sixth of its time is left, or it
// is over) or cannot be renewed, with the date and what to do. Loop thread; the files are small.
class Renewal : public Adapter {
 public:
  Renewal(Loop& loop, Options options);
  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action&) override {}
  void Stop() override;
  // When the present certificate ends.
  absl::StatusOr<absl::Time> Expires() const;

 private:
  // What a look at the files came to.
  struct Finding {
    std::string problem = {};
    bool retry = false;                          // something failed that may be mended any moment
    absl::Duration life = absl::ZeroDuration();  // of the certificate, if none failed
  };
  void Look();
  Finding Find() const;  // renews what is due

  Loop& loop_;
  const Options options_;
  EventSink* events_ = nullptr;
  std::string problem_;  // as reported last
  Backoff backoff_;
  Loop::Registration timer_;
};

}  // namespace zcluster::identity
