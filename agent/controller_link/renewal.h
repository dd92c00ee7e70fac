// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "agent/controller_link/disk.h"
#include "common/backoff.h"
#include "common/loop.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster::controller_link {

// Renews the fleet's certificate over a stream that lives: when two thirds of its time have passed,
// with a new key, which is kept only once its certificate is here and checked. Loop thread.
class Renewal {
 public:
  // `directory` holds the identity; `ask` sends the request up.
  Renewal(Loop& loop, Disk& disk, std::string directory,
          std::function<void(v1::CertificateRequest)> ask);
  ~Renewal();

  // A stream is up: looks now, and from time to time.
  void Begin();
  // It is over.
  void End();
  // What the controller gave. One that was not asked for is nothing to us.
  void Answered(v1::IssuedCertificate answer);

 private:
  void Look();
  void Asked(std::string key, v1::CertificateRequest request);
  void Failed(const std::string& why);
  void LookAfter(absl::Duration wait);

  Loop& loop_;
  Disk& disk_;
  const std::string directory_;
  const std::function<void(v1::CertificateRequest)> ask_;
  uint64_t streams_ = 0;  // what the disk brings for an earlier one is dropped
  bool up_ = false;
  std::string pending_key_;  // of the request under way; empty: none is
  Backoff backoff_;
  Loop::Registration timer_;
};

}  // namespace zcluster::controller_link
