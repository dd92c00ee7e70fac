// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/core/types.h"
#include "agent/peer/options.h"
#include "zcluster/v1/peer.pb.h"

// The first message each way. Pure functions.
namespace zcluster::peer {

// What we say of ourselves.
v1::Hello MakeHello(const Options& self, core::Term term);

// May we talk to who says `hello` and has proved by certificate to be `certificate_uri`?
// FAILED_PRECONDITION if it is not our peer or too far from our protocol, INVALID_ARGUMENT if the
// hello itself is not sound; a sentence that both sides can show.
absl::Status CheckHello(const Options& self, const v1::Hello& hello,
                        absl::string_view certificate_uri);

}  // namespace zcluster::peer
