// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/pki.h"
#include "common/unique_fd.h"
#include "tests/agent/bootstrap/node.h"
#include "tests/agent/bootstrap/private_shadow.h"

// Caller and node in one process, whose memory is then searched for the password.
namespace zcluster::bootstrap {
namespace {

// A page of our own for what is read, which is left out of the search.
class Scratch {
 public:
  static constexpr size_t kSize = 1 << 20;
  Scratch() {
    at_ = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ZC_CHECK(at_ != MAP_FAILED);
  }
  ~Scratch() { ::munmap(at_, kSize); }
  char* data() const { return static_cast<char*>(at_); }
  bool Overlaps(uintptr_t from, uintptr_t to) const {
    const auto own = reinterpret_cast<uintptr_t>(at_);
    return from < own + kSize && own < to;
  }

 private:
  void* at_;
};

// What we look for, in a form that is not found: the end of the password, because malloc writes
// over the beginning of what is freed, and the rest says enough.
class Needle {
 public:
  explicit Needle(const DistinctPassword& password) : text_(password.Make()) {
    for (char& c : text_) c = static_cast<char>(~c);
    text_.erase(0, text_.size() - 14);
  }
  size_t size() const { return text_.size(); }
  bool IsAt(const char* at) const {
    for (size_t i = 0; i < text_.size(); ++i) {
      if (at[i] != static_cast<char>(~text_[i])) return false;
    }
    return true;
  }

 private:
  std::string text_;
};

// Where in the process's own writable memory the password is; empty: nowhere.
std::string Search(const DistinctPassword& password) {
  const Needle needle(password);
  const Scratch scratch;
  const UniqueFd memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  std::ifstream maps("/proc/self/maps");
  std::string found;
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0;
    unsigned long to = 0;
    char mode[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, mode) != 3 ||
        !absl::StartsWith(mode, "rw-p") || scratch.Overlaps(from, to)) {
      continue;
    }
    // Pieces overlap by a needle's length.
    for (unsigned long at = from; at < to; at += Scratch::kSize - needle.size()) {
      const size_t wanted = std::min<size_t>(Scratch::kSize, to - at);
      const ssize_t n = ::pread(memory.get(), scratch.data(), wanted, static_cast<off_t>(at));
      for (ssize_t i = 0; i + static_cast<ssize_t>(needle.size()) <= n; ++i) {
        if (needle.IsAt(scratch.data() + i)) absl::StrAppend(&found, line, " at ", i, "\n");
      }
    }
  }
  return found;
}

// A connection's buffers go a moment after their last user.
std::string SearchUntilGone(const DistinctPassword& password) {
  const absl::Time deadline = Loop::Now() + absl::Seconds(8);
  std::string found = Search(password);
  while (!found.empty() && Loop::Now() < deadline) {
    ::poll(nullptr, 0, 50);
    found = Search(password);
  }
  return found;
}

class Secrecy : public NodeTest {
 protected:
  void SetUp() override {
    if (!HasPrivateShadow()) GTEST_SKIP() << "needs root, for an /etc/shadow of its own";
  }
};

TEST_F(Secrecy, SearchFindsAPasswordThatIsThere) {
  const DistinctPassword distinct;
  std::string password = distinct.Make();
  EXPECT_NE(Search(distinct), "");
  pki::Wipe(password);
  EXPECT_EQ(Search(distinct), "");
}

TEST_F(Secrecy, PasswordIsNowhereAfterAJoin) {
  const DistinctPassword distinct;
  ASSERT_EQ(Search(distinct), "");
  const auto reply = Call()->Admit("", distinct.Make());
  ASSERT_TRUE(reply.ok()) << reply.status();
  ASSERT_TRUE(node_->handler().WaitForEnd(1));
  EXPECT_EQ(SearchUntilGone(distinct), "");
}

TEST_F(Secrecy, PasswordIsNowhereAfterItWasRefused) {
  const DistinctPassword distinct;
  ASSERT_EQ(Search(distinct), "");
  {
    const NoRootPassword none;
    ASSERT_FALSE(Call()->Admit("", distinct.Make()).ok());
  }
  EXPECT_EQ(SearchUntilGone(distinct), "");
}

TEST_F(Secrecy, PasswordIsNowhereAfterNobodyWasThere) {
  const DistinctPassword distinct;
  ASSERT_EQ(Search(distinct), "");
  Caller caller(node_->thread(), {"127.0.0.1:1", node_->Fingerprint()});
  ASSERT_FALSE(caller.Admit("", distinct.Make()).ok());
  caller.Leave();
  EXPECT_EQ(SearchUntilGone(distinct), "");
}

TEST_F(Secrecy, PasswordIsNowhereAfterTheCallerLeftItUnderWay) {
  const DistinctPassword distinct;
  ASSERT_EQ(Search(distinct), "");
  node_->thread().Do([&] {
    const auto join = Join::Dial(node_->loop(), {"127.0.0.1:1", "SHA256:any"});
    join->Admit("", distinct.Make(), kSoon, [](const auto&) {});
  });
  EXPECT_EQ(SearchUntilGone(distinct), "");
}

}  // namespace
}  // namespace zcluster::bootstrap
