// SPDX-License-Identifier: Apache-2.0
#include "common/listen.h"

#include <netdb.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/status.h"

namespace zcluster {
namespace {

// Connections that the kernel holds until they are accepted; more are not answered at once.
constexpr int kBacklog = 128;

}  // namespace

absl::StatusOr<UniqueFd> ListenOn(const std::string& listen) {
  const std::string what = absl::StrCat("cannot listen on ", listen);
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ADDRESS:PORT expected"));
  }
  const std::string host = absl::StrReplaceAll(listen.substr(0, colon), {{"[", ""}, {"]", ""}});
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), listen.c_str() + colon + 1, &hints, &found);
      error != 0) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", ::gai_strerror(error)));
  }
  UniqueFd fd(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const bool ok =
      ::bind(fd.get(), found->ai_addr, found->ai_addrlen) == 0 && ::listen(fd.get(), kBacklog) == 0;
  const int error = errno;
  ::freeaddrinfo(found);
  if (!ok) return ErrnoStatus(what, error);
  return fd;
}

absl::Status WhyNotListening(const std::string& listen) {
  const absl::Status status = ListenOn(listen).status();
  return status.ok() ? absl::UnavailableError(absl::StrCat("cannot listen on ", listen)) : status;
}

}  // namespace zcluster
