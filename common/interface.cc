// SPDX-License-Identifier: Apache-2.0
#include "common/interface.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/unique_fd.h"

namespace zcluster {

InterfaceState StateOfInterface(const std::string& name) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return InterfaceState::kMissing;
  if ((request.ifr_flags & IFF_UP) == 0) return InterfaceState::kDown;
  return (request.ifr_flags & IFF_RUNNING) == 0 ? InterfaceState::kNoCarrier
                                                : InterfaceState::kRuns;
}

}  // namespace zcluster
