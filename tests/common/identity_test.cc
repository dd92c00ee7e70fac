// SPDX-License-Identifier: Apache-2.0
#include "common/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "common/file.h"
#include "tests/support/certificates.h"

namespace zcluster::identity {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Identity Named(const std::string& name) {
  return {.certificate = name + " certificate",
          .key = name + " key",
          .ca = name + " ca",
          .ca_key = name + " ca key"};
}

// The name of the present one, if it is whole.
std::string NameIn(const std::string& directory) {
  const absl::StatusOr<Identity> loaded = Load(directory);
  if (!loaded.ok()) return loaded.status().ToString();
  const std::string name = loaded->certificate.substr(0, loaded->certificate.find(' '));
  const Identity whole = Named(name);
  const bool same = loaded->certificate == whole.certificate && loaded->key == whole.key &&
                    loaded->ca == whole.ca && loaded->ca_key == whole.ca_key;
  return same ? name : "a mixture";
}

unsigned ModeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

class IdentityTest : public testing::Test {
 protected:
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  void Write(const std::string& name, const std::string& content) {
    ASSERT_EQ(WriteFileAtomically(directory_ + "/" + name, content, 0600), absl::OkStatus());
  }

  test::TempDirectory parent_;
  const std::string directory_ = parent_.path() + "/deep/identity";
};

TEST_F(IdentityTest, WhatIsInstalledIsLoaded) {
  ASSERT_EQ(Install(directory_, Named("first")), absl::OkStatus());
  EXPECT_EQ(NameIn(directory_), "first");
  EXPECT_THAT(Names(), UnorderedElementsAre("v1", "current"));
}

TEST_F(IdentityTest, TlsFindsTheFilesBehindTheLink) {
  ASSERT_EQ(Install(directory_, Named("first")), absl::OkStatus());
  ASSERT_EQ(Install(directory_, Named("second")), absl::OkStatus());
  const tls::Files files = FilesIn(directory_);
  EXPECT_EQ(*ReadFile(files.certificate), "second certificate");
  EXPECT_EQ(*ReadFile(files.key), "second key");
  EXPECT_EQ(*ReadFile(files.ca), "second ca");
}

TEST_F(IdentityTest, OnlyItsOwnerReadsItWhateverTheUmask) {
  fs::create_directories(directory_);
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  const mode_t before = ::umask(0);
  const absl::Status installed = Install(directory_, Named("first"));
  ::umask(before);
  ASSERT_EQ(installed, absl::OkStatus());
  EXPECT_EQ(ModeOf(directory_), 0700u);
  EXPECT_EQ(ModeOf(directory_ + "/v1"), 0700u);
  for (const char* file : {"node.crt", "node.key", "ca.crt", "ca.key"}) {
    EXPECT_EQ(ModeOf(directory_ + "/v1/" + file), 0600u) << file;
  }
}

TEST_F(IdentityTest, TheKeyOfTheCaMayBeElsewhere) {
  Identity identity = Named("first");
  identity.ca_key.clear();
  ASSERT_EQ(Install(directory_, identity), absl::OkStatus());
  EXPECT_FALSE(fs::exists(directory_ + "/v1/ca.key"));
  EXPECT_THAT(Load(directory_)->ca_key, IsEmpty());
}

TEST_F(IdentityTest, OfOlderOnesOnlyTheOneBeforeIsKept) {
  for (const char* name : {"first", "second", "third"}) {
    ASSERT_EQ(Install(directory_, Named(name)), absl::OkStatus());
  }
  EXPECT_EQ(NameIn(directory_), "third");
  EXPECT_THAT(Names(), UnorderedElementsAre("v2", "v3", "current"));
}

TEST_F(IdentityTest, NoneIsNotFound) {
  EXPECT_EQ(Load(directory_).status().code(), absl::StatusCode::kNotFound);
  fs::create_directories(directory_);
  EXPECT_EQ(Load(directory_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(IdentityTest, ALostFileIsNamedAndIsNotTakenForNoIdentity) {
  ASSERT_EQ(Install(directory_, Named("first")), absl::OkStatus());
  fs::remove(directory_ + "/v1/node.key");
  const absl::Status status = Load(directory_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("/v1/node.key: is missing"));
}

TEST_F(IdentityTest, ADanglingLinkIsNotTakenForNoIdentityAndIsReplaced) {
  ASSERT_EQ(Install(directory_, Named("first")), absl::OkStatus());
  fs::remove_all(directory_ + "/v1");
  EXPECT_EQ(Load(directory_).status().code(), absl::StatusCode::kDataLoss);
  ASSERT_EQ(Install(directory_, Named("second")), absl::OkStatus());
  EXPECT_EQ(NameIn(directory_), "second");
  EXPECT_THAT(Names(), UnorderedElementsAre("v2", "current"));
}

TEST_F(IdentityTest, ALinkThatLeadsElsewhereIsLeftToItsMaker) {
  fs::create_directories(directory_);
  for (const char* target : {"/etc", "../v1", "v01", "v", "version"}) {
    fs::create_symlink(target, directory_ + "/current");
    EXPECT_EQ(Load(directory_).status().code(), absl::StatusCode::kFailedPrecondition) << target;
    EXPECT_THAT(Install(directory_, Named("first")).message(), HasSubstr("current: is not a link"));
    EXPECT_EQ(fs::read_symlink(directory_ + "/current"), target);
    fs::remove(directory_ + "/current");
  }
  fs::create_directory(directory_ + "/current");
  EXPECT_THAT(Install(directory_, Named("first")).message(), HasSubstr("current: is not a link"));
}

// What a crash can leave beside the present identity, v1.
struct Leftover {
  std::string name;
  std::vector<std::string> directories;
  std::vector<std::string> files;
  std::string link;  // of current.new
};
class LeftByACrash : public IdentityTest, public testing::WithParamInterface<Leftover> {
 protected:
  void Leave() {
    for (const std::string& made : GetParam().directories) {
      fs::create_directories(directory_ + "/" + made);
    }
    for (const std::string& file : GetParam().files) Write(file, "half of i");
    if (!GetParam().link.empty()) {
      fs::create_symlink(GetParam().link, directory_ + "/current.new");
    }
  }
};

TEST_P(LeftByACrash, IsNotLoadedAndGoesWithTheNextInstall) {
  ASSERT_EQ(Install(directory_, Named("first")), absl::OkStatus());
  Leave();
  EXPECT_EQ(NameIn(directory_), "first");
  ASSERT_EQ(Install(directory_, Named("second")), absl::OkStatus());
  EXPECT_EQ(NameIn(directory_), "second");
  const std::string present = fs::read_symlink(directory_ + "/current");
  EXPECT_THAT(Names(), UnorderedElementsAre("v1", present, "current"));
}

TEST_P(LeftByACrash, GoesWithRemoveToo) {
  ASSERT_EQ(Install(directory_, Named("first")), absl::OkStatus());
  Leave();
  EXPECT_EQ(Remove(directory_), absl::OkStatus());
  EXPECT_FALSE(fs::exists(directory_));
}

const Leftover kLeftovers[] = {
    {"AnEmptyDirectory", {"v2"}, {}, ""},
    {"AHalfWrittenFile", {"v2"}, {"v2/node.crt", "v2/node.key.4711.0.tmp"}, ""},
    {"AWholeVersion", {"v2"}, {"v2/node.crt", "v2/node.key", "v2/ca.crt", "v2/ca.key"}, ""},
    {"ALinkThatDangles", {}, {}, "v2"},
    {"ALinkNotRenamedYet", {"v2"}, {"v2/node.crt"}, "v2"},
    {"SeveralOfThem", {"v2", "v3", "v7"}, {"v3/node.crt"}, "v3"},
};
INSTANTIATE_TEST_SUITE_P(IdentityTest, LeftByACrash, testing::ValuesIn(kLeftovers),
                         [](const auto& leftover) { return leftover.param.name; });

// Runs `task` in a process of its own that is killed as it enters its `nth` system call. Returns
// false if it came to its end before.
bool KilledAtSystemCall(int nth, const std::function<void()>& task) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    task();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  for (int stops = 0; WIFSTOPPED(status); ++stops) {
    if (stops == 2 * nth - 1) ::kill(child, SIGKILL);  // a stop at each entry and at each return
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
  }
  return WIFSIGNALED(status);
}

TEST_F(IdentityTest, KilledAnywhereAnInstallLeavesTheOldOrTheNewAndNothingThatStays) {
  bool replaced = false;
  int calls = 0;
  for (bool killed = true; killed; ++calls) {
    ASSERT_EQ(Remove(directory_), absl::OkStatus());
    ASSERT_EQ(Install(directory_, Named("old")), absl::OkStatus());
    killed =
        KilledAtSystemCall(calls + 1, [&] { Install(directory_, Named("new")).IgnoreError(); });
    const std::string name = NameIn(directory_);
    if (name == "new") replaced = true;
    ASSERT_EQ(name, replaced ? "new" : "old") << "killed at call " << calls + 1;
    ASSERT_EQ(Install(directory_, Named("next")), absl::OkStatus());
    ASSERT_EQ(NameIn(directory_), "next");
    ASSERT_EQ(Names().size(), 3u) << "killed at call " << calls + 1;
  }
  EXPECT_TRUE(replaced);
  EXPECT_GT(calls, 30);  // it was indeed stopped at each
}

TEST_F(IdentityTest, KilledAnywhereARemovalLeavesAllOrNothing) {
  bool gone = false;
  int calls = 0;
  for (bool killed = true; killed; ++calls) {
    ASSERT_EQ(Install(directory_, Named("old")), absl::OkStatus());
    killed = KilledAtSystemCall(calls + 1, [&] { Remove(directory_).IgnoreError(); });
    if (absl::IsNotFound(Load(directory_).status())) {
      gone = true;
    } else {
      ASSERT_EQ(NameIn(directory_), "old") << "killed at call " << calls + 1;
    }
    ASSERT_EQ(Remove(directory_), absl::OkStatus());
    ASSERT_FALSE(fs::exists(directory_));
  }
  EXPECT_TRUE(gone);
  EXPECT_GT(calls, 5);
}

TEST_F(IdentityTest, AFullDiskLeavesTheOldOneAndNoRubbish) {
  ASSERT_EQ(Install(directory_, Named("first")), absl::OkStatus());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = Install(directory_, Named("second"));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_THAT(status.message(), HasSubstr("/v2/node.crt"));
  EXPECT_EQ(NameIn(directory_), "first");
  EXPECT_THAT(Names(), UnorderedElementsAre("v1", "current"));
}

TEST_F(IdentityTest, RemovedAllIsGone) {
  ASSERT_EQ(Install(directory_, Named("first")), absl::OkStatus());
  ASSERT_EQ(Install(directory_, Named("second")), absl::OkStatus());
  EXPECT_EQ(Remove(directory_), absl::OkStatus());
  EXPECT_FALSE(fs::exists(directory_));
  EXPECT_EQ(Load(directory_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(IdentityTest, ThereMayBeNothingToRemove) { EXPECT_EQ(Remove(directory_), absl::OkStatus()); }

TEST_F(IdentityTest, WhatIsNotOursIsNotRemoved) {
  ASSERT_EQ(Install(directory_, Named("first")), absl::OkStatus());
  Write("notes", "of the operator");
  ASSERT_EQ(Install(directory_, Named("second")), absl::OkStatus());
  EXPECT_EQ(Remove(directory_), absl::OkStatus());
  EXPECT_THAT(Names(), ElementsAre("notes"));
}

}  // namespace
}  // namespace zcluster::identity
