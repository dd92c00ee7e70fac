// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace zcluster {

// While one of these exists, and ten seconds longer, what this process frees is overwritten: for
// the time that a password is in it. gRPC and OpenSSL keep copies of what they carry in buffers of
// a connection, and free them as they are; nobody else can reach them. The ten seconds are for a
// connection that ends by itself after its last user has gone.
//
// It is no more than the second line, because glibc's malloc leaves blocks of up to 1032 bytes as
// they are (its thread caches know nothing of M_PERTURB): whoever holds a secret in a small block
// wipes it itself (pki::Wipe). Costs each allocation and release its size in writes. Any thread;
// needs gRPC to be initialised.
class Scrubbing {
 public:
  Scrubbing();
  ~Scrubbing();
  Scrubbing(const Scrubbing&) = delete;
  Scrubbing& operator=(const Scrubbing&) = delete;
};

}  // namespace zcluster
