// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/hello.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/tls.h"

namespace zcluster::peer {
namespace {

// Names and versions end up in messages and on terminals.
constexpr size_t kMaxText = 255;

bool IsPlain(absl::string_view text) {
  return text.size() <= kMaxText &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

v1::Hello MakeHello(const Options& self, core::Term term) {
  v1::Hello hello;
  hello.set_pair(self.pair);
  hello.set_node(self.node);
  hello.set_version(self.version);
  hello.set_protocol(self.protocol);
  hello.set_term(term.value);
  hello.set_address(self.address);
  return hello;
}

absl::Status CheckHello(const Options& self, const v1::Hello& hello,
                        absl::string_view certificate_uri) {
  for (absl::string_view text :
       {absl::string_view(hello.pair()), absl::string_view(hello.node()),
        absl::string_view(hello.version()), absl::string_view(hello.address())}) {
    if (!IsPlain(text)) {
      return absl::InvalidArgumentError(
          absl::StrCat("hello: a text is longer than ", kMaxText, " bytes or not printable"));
    }
  }
  if (hello.pair() != self.pair) {
    return absl::FailedPreconditionError(absl::StrCat(hello.node(), " is of the pair '",
                                                      hello.pair(), "', ", self.node, " of '",
                                                      self.pair, "'"));
  }
  if (hello.node() != self.peer) {
    return absl::FailedPreconditionError(absl::StrCat("the node calls itself '", hello.node(),
                                                      "', but the peer of ", self.node, " is '",
                                                      self.peer, "'"));
  }
  // The credentials let nobody else through; should they ever be composed wrongly, this still
  // holds.
  const std::string expected = tls::NodeUri(self.pair, self.peer);
  if (certificate_uri != expected) {
    return absl::FailedPreconditionError(absl::StrCat("the certificate is not the one of ",
                                                      self.peer, ": it must carry ", expected));
  }
  const uint32_t apart =
      std::max(hello.protocol(), self.protocol) - std::min(hello.protocol(), self.protocol);
  if (apart > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat(hello.node(), " speaks protocol ", hello.protocol(), " (version ",
                     hello.version(), "), ", self.node, " speaks ", self.protocol, " (version ",
                     self.version, "); they may differ by one: upgrade the older node"));
  }
  return absl::OkStatus();
}

}  // namespace zcluster::peer
