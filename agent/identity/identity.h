// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/adapter.h"
#include "common/backoff.h"
#include "common/identity.h"
#include "common/loop.h"
#include "common/tls.h"

// Who this node is in its pair: its key and certificate, and the pair's CA with its key, as
// common/identity.h keeps them.
namespace zcluster::identity {

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
  void Look();

  Loop& loop_;
  const Kept kept_;
  EventSink* events_ = nullptr;
  std::string problem_;  // as reported last
  Backoff backoff_;
  Loop::Registration timer_;
};

}  // namespace zcluster::identity
