// SPDX-License-Identifier: Apache-2.0
#include "tests/agent/bootstrap/private_shadow.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/file.h"
#include "common/grpc_life.h"
#include "common/tls.h"
#include "common/unique_fd.h"
#include "tests/support/certificates.h"

namespace zcluster::bootstrap {
namespace {

// `openssl passwd -6 -salt zcluster` of what they are named after.
constexpr char kPassword[] = "tests only, root";
constexpr char kHash[] =
    "$6$zcluster$"
    "4w9xeWOlHyAzT1Wf4WSN80K2bBh8rEQCIFpCu8sFCTO2VfGfFsFr5KLuheeb8gGRlhigYQYkcE9LcCIjfeFBi0";
constexpr char kDistinctHash[] =
    "$6$zcluster$iJXDhDAFY7iSq5O1ugSzNFCQULBEHCW2HT0d2teMzR5mX7OsstPxExGoL9CI/"
    "k8yJUZueZ9GYtQdQR1o2fzRD.";
constexpr unsigned char kMask = 0x2a;
constexpr unsigned char kMasked[] = {0x61, 0x58, 0x4b, 0x44, 0x43, 0x49, 0x42, 0x07, 0x1d, 0x07,
                                     0x7f, 0x4c, 0x4f, 0x58, 0x5d, 0x4f, 0x4d, 0x07, 0x68, 0x43,
                                     0x58, 0x41, 0x4f, 0x44, 0x5a, 0x43, 0x46, 0x50, 0x07, 0x64,
                                     0x45, 0x58, 0x4e, 0x46, 0x43, 0x49, 0x42, 0x5e};

bool has_private_shadow = false;

// In place: the bind mount is of this very file.
void Write(const std::string& path, const std::string& hash) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600));
  const std::string line = absl::StrCat("root:", hash, ":19000:0:99999:7:::\n");
  ZC_CHECK(::write(fd.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()));
}

class World : public testing::Environment {
 public:
  // Before any thread: those made later inherit the namespace.
  void SetUp() override {
    // As main() does.
    ::signal(SIGPIPE, SIG_IGN);
    tls::RequireTls13();
    KeepGrpc();
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0) return;
    ZC_CHECK(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    const std::string path = directory_.path() + "/shadow";
    Write(path, kHash);
    ZC_CHECK(::mount(path.c_str(), "/etc/shadow", nullptr, MS_BIND, nullptr) == 0);
    has_private_shadow = true;
  }
  void TearDown() override {
    if (has_private_shadow) ::umount("/etc/shadow");
  }

 private:
  test::TempDirectory directory_;
};

const testing::Environment* const world = testing::AddGlobalTestEnvironment(new World);

}  // namespace

bool HasPrivateShadow() { return has_private_shadow; }

std::string RootsPassword() { return kPassword; }

DistinctPassword::DistinctPassword() {
  ZC_CHECK(has_private_shadow);
  Write("/etc/shadow", kDistinctHash);
}
DistinctPassword::~DistinctPassword() { Write("/etc/shadow", kHash); }

std::string DistinctPassword::Make() const {
  volatile unsigned char mask = kMask;  // else the compiler does it, and the word is in the program
  std::string password(sizeof kMasked, '\0');
  for (size_t i = 0; i < sizeof kMasked; ++i) password[i] = static_cast<char>(kMasked[i] ^ mask);
  return password;
}

NoRootPassword::NoRootPassword() {
  ZC_CHECK(has_private_shadow);
  Write("/etc/shadow", "");
}
NoRootPassword::~NoRootPassword() { Write("/etc/shadow", kHash); }

}  // namespace zcluster::bootstrap
