// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/unique_fd.h"

namespace zcluster::test {

// A file system of its own, so small that it can be filled. It is seen by the thread that made it
// and by those which that one starts; it goes with the process, however that ends.
class SmallDisk {
 public:
  // Needs root.
  static bool Possible() { return ::geteuid() == 0; }

  explicit SmallDisk(int megabytes) {
    path_ = ::mkdtemp(path_.data());
    ZC_CHECK(::unshare(CLONE_NEWNS) == 0);
    ZC_CHECK(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    const std::string options = absl::StrCat("mode=0700,size=", megabytes, "m");
    ZC_CHECK(::mount("none", path_.c_str(), "tmpfs", 0, options.c_str()) == 0);
  }
  ~SmallDisk() {
    ::umount2(path_.c_str(), MNT_DETACH);
    ::rmdir(path_.c_str());
  }
  const std::string& path() const { return path_; }

  // Leaves no byte.
  void Fill() {
    const UniqueFd ballast(
        ::open(Ballast().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    ZC_CHECK(ballast);
    const std::string block(4096, 'x');
    while (::write(ballast.get(), block.data(), block.size()) > 0) {
    }
  }
  void MakeRoom() { ::unlink(Ballast().c_str()); }

 private:
  std::string Ballast() const { return path_ + "/ballast"; }
  std::string path_ = "/tmp/zc-disk-XXXXXX";
};

}  // namespace zcluster::test
