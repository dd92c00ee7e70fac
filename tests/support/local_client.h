// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <sys/types.h>
#include <sys/un.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

// Clients of the local socket, as whatever user.
namespace zcluster::test {

// A group that Debian has, with nobody in it.
inline constexpr char kGroup[] = "games";
gid_t GroupId();

struct User {
  uid_t uid;
  gid_t gid;
  std::vector<gid_t> groups;
};
extern const User kRoot;
extern const User kStranger;  // nobody, in no group
extern const User kMember;    // nobody, in kGroup

sockaddr_un UnixAddress(const std::string& path);

// Connects to `path` as root.
absl::StatusOr<UniqueFd> Connect(const std::string& path);
// Connects as `user`, in a child that becomes it and hands the connection over: the kernel
// remembers who connected. The error is the child's.
absl::StatusOr<UniqueFd> ConnectAs(const std::string& path, const User& user);

// A channel over such a connection, which must succeed. It does not connect again.
std::shared_ptr<grpc::Channel> ChannelAs(const std::string& path, const User& user);

}  // namespace zcluster::test
