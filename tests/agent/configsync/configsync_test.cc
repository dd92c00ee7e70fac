// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/configsync.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/agent/configsync/node.h"
#include "zcluster/v1/config_sync.grpc.pb.h"

namespace zcluster::configsync {
namespace {

using core::Role;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

TEST_F(ConfigSyncTest, BringsAWholeTreeToTheBackup) {
  Write(On1("haproxy.cfg"), "frontend", 0640);
  Write(On1("certs/site/key.pem"), "secret", 0600);
  Write(On1("empty"), "");
  Write(On1(".x.swp"), "an editor's");
  fs::create_directory(On1("nothing"));
  ::chmod(On1("certs").c_str(), 01750);
  ASSERT_EQ(::chown(On1("haproxy.cfg").c_str(), 1234, 4321), 0);
  fs::create_symlink("../haproxy.cfg", On1("certs/link"));
  Raise();
  AssumeRoles();
  ASSERT_TRUE(BecomeEqual(8)) << Explain();
  EXPECT_EQ(Read(On2("haproxy.cfg")), "frontend");
  EXPECT_EQ(ModeOf(On2("haproxy.cfg")), 0640U);
  EXPECT_EQ(OwnerOf(On2("haproxy.cfg")), 1234U);
  EXPECT_EQ(Read(On2("certs/site/key.pem")), "secret");
  EXPECT_EQ(ModeOf(On2("certs/site/key.pem")), 0600U);
  EXPECT_EQ(ModeOf(On2("certs")), 01750U);
  EXPECT_EQ(Read(On2("empty")), "");
  EXPECT_TRUE(fs::is_directory(On2("nothing")));
  EXPECT_EQ(fs::read_symlink(On2("certs/link")), "../haproxy.cfg");
  EXPECT_FALSE(fs::exists(On2(".x.swp")));
  EXPECT_FALSE(fs::exists(On2(".zcluster-stage")));
}

// What is done on the master arrives, and both agree on it.
class Follows : public ConfigSyncTest {
 protected:
  void SetUp() override {
    Write(On1("a"), "one");
    Write(On1("dir/b"), "two");
    fs::create_symlink("a", On1("link"));
    Raise();
    AssumeRoles();
    ASSERT_TRUE(BecomeEqual(5)) << Explain();
  }
  void Expect(uint64_t entries, const std::function<bool()>& condition) {
    EXPECT_TRUE(WaitUntil([&] { return condition() && Equal(entries); })) << Explain();
  }
};

TEST_F(Follows, AChange) {
  Write(On1("a"), "other");
  Expect(5, [&] { return Read(On2("a")) == "other"; });
}

TEST_F(Follows, AReplacementByRename) {
  Write(On1("a.new"), "renamed");
  fs::rename(On1("a.new"), On1("a"));
  Expect(5, [&] { return Read(On2("a")) == "renamed"; });
}

TEST_F(Follows, ARename) {
  fs::rename(On1("dir/b"), On1("dir/c"));
  Expect(5, [&] { return Read(On2("dir/c")) == "two" && !fs::exists(On2("dir/b")); });
}

TEST_F(Follows, ARenameOfADirectory) {
  fs::rename(On1("dir"), On1("other"));
  Expect(5, [&] { return Read(On2("other/b")) == "two" && !fs::exists(On2("dir")); });
  Write(On1("other/b"), "still watched");
  Expect(5, [&] { return Read(On2("other/b")) == "still watched"; });
}

TEST_F(Follows, ADeletion) {
  fs::remove_all(On1("dir"));
  Expect(3, [&] { return !fs::exists(On2("dir")); });
}

TEST_F(Follows, AMode) {
  ::chmod(On1("a").c_str(), 0600);
  Expect(5, [&] { return ModeOf(On2("a")) == 0600; });
}

TEST_F(Follows, AnOwner) {
  ASSERT_EQ(::chown(On1("dir").c_str(), 77, 78), 0);
  ASSERT_EQ(::lchown(On1("link").c_str(), 79, 80), 0);
  Expect(5, [&] { return OwnerOf(On2("dir")) == 77 && OwnerOf(On2("link")) == 79; });
}

TEST_F(Follows, NewDirectoriesInNewDirectories) {
  Write(On1("x/y/z/file"), "deep");
  Expect(9, [&] { return Read(On2("x/y/z/file")) == "deep"; });
  Write(On1("x/y/z/file"), "deep and watched");
  Expect(9, [&] { return Read(On2("x/y/z/file")) == "deep and watched"; });
}

TEST_F(Follows, ASymbolicLink) {
  fs::remove(On1("link"));
  fs::create_symlink("dir/b", On1("link"));
  Expect(5, [&] { return fs::read_symlink(On2("link")) == "dir/b"; });
}

TEST_F(Follows, ChangesOfKind) {
  fs::remove_all(On1("dir"));
  Write(On1("dir"), "a file now");
  fs::remove(On1("a"));
  Write(On1("a/file"), "a directory now");
  fs::remove(On1("link"));
  Write(On1("link"), "no link now");
  Expect(5, [&] {
    return Read(On2("dir")) == "a file now" && Read(On2("a/file")) == "a directory now" &&
           Read(On2("link")) == "no link now" && !fs::is_symlink(On2("link"));
  });
}

TEST_F(Follows, ABigFileAndManySmallOnes) {
  std::string big(20 << 20, '\0');
  for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * i >> 7);
  Write(On1("big"), big);
  for (int i = 0; i < 300; ++i) Write(On1(absl::StrCat("many/", i)), absl::StrCat("content ", i));
  Write(On1("copy"), big);
  Expect(5 + 1 + 1 + 301, [] { return true; });
  EXPECT_TRUE(Read(On2("big")) == big);
  EXPECT_TRUE(Read(On2("copy")) == big);
  EXPECT_EQ(Read(On2("many/299")), "content 299");
}

TEST_F(Follows, NamesThatAreNoText) {
  Write(On1("caf\xe9 \n\x01"), "latin");
  Expect(6, [&] { return Read(On2("caf\xe9 \n\x01")) == "latin"; });
}

TEST_F(Follows, ADeletedAndRestoredRoot) {
  fs::rename(scratch_ / "node1/tree", scratch_ / "node1/aside");
  EXPECT_TRUE(WaitUntil([&] {
    return node1_->root().problem.find("does not exist") != std::string::npos;
  })) << Explain();
  EXPECT_EQ(Read(On2("a")), "one");
  fs::rename(scratch_ / "node1/aside", scratch_ / "node1/tree");
  Write(On1("a"), "back");
  Expect(5, [&] { return Read(On2("a")) == "back"; });
}

TEST_F(Follows, TheMasterEvenIfTheBackupWasEdited) {
  Write(On2("a"), "edited on the backup");
  Write(On2("stray"), "made on the backup");
  Expect(5, [&] { return Read(On2("a")) == "one" && !fs::exists(On2("stray")); });
  // Whether both changes were seen at once or one by one.
  EXPECT_THAT(node2_->Kept(), IsSupersetOf({"edited on the backup", "made on the backup"}));
  EXPECT_THAT(node1_->Kept(), IsEmpty());
}

TEST_F(Follows, TheSurvivorOfASplitAndKeepsAsideWhatTheLoserChanged) {
  node2_->Assume(Role::kMaster, 6);
  Write(On2("dir/b"), "changed by the loser");
  fs::create_symlink("dir", On2("made-by-the-loser"));
  Write(On1("a"), "changed by the survivor");
  node2_->Assume(Role::kBackup, 7);
  node1_->Assume(Role::kMaster, 7);
  Expect(5, [&] {
    return Read(On2("dir/b")) == "two" && Read(On2("a")) == "changed by the survivor";
  });
  EXPECT_THAT(node2_->Kept(), IsSupersetOf({"changed by the loser"}));
  EXPECT_THAT(node1_->Kept(), IsEmpty());
}

TEST_F(Follows, TheNewMasterAfterASwap) {
  node1_->Assume(Role::kBackup, 6);
  node2_->Assume(Role::kMaster, 6);
  Write(On2("a"), "from node2");
  Expect(5, [&] { return Read(On1("a")) == "from node2"; });
}

TEST_F(Follows, ABackupThatWasAway) {
  node2_->End();
  Write(On1("a"), "changed while it was away");
  fs::remove_all(On1("dir"));
  // What a crash in the middle leaves.
  Write(On2(".zcluster-stage/new-1"), "half");
  node2_->Begin();
  EXPECT_TRUE(WaitUntil([&] { return !fs::exists(On2(".zcluster-stage")); }));
  node2_->Assume(Role::kMaintenance, 5);
  Expect(3, [&] { return Read(On2("a")) == "changed while it was away"; });
  EXPECT_THAT(node2_->Kept(), IsEmpty()) << "nothing was changed there";
}

TEST_F(Follows, AFlushIsAnsweredWhenThePeerHoldsAll) {
  for (uint64_t i = 1; i <= 20; ++i) {
    const std::string content = absl::StrCat("before flush ", i);
    Write(On1("a"), content);
    node1_->Flush(i);
    ASSERT_TRUE(WaitUntil([&] { return node1_->brain().flushed().size() == i; })) << Explain();
    ASSERT_EQ(Read(On2("a")), content);
  }
}

TEST_F(ConfigSyncTest, AFlushWaitsForAPeerThatIsAway) {
  Write(On1("a"), "one");
  Raise();
  node1_->Assume(Role::kMaster, 5);  // and node2 does not accept yet
  node1_->Flush(7);
  ASSERT_TRUE(WaitUntil([&] {
    return node1_->root().problem.find("refuses") != std::string::npos;
  })) << Explain();
  EXPECT_TRUE(node1_->brain().flushed().empty());
  node2_->Assume(Role::kBackup, 5);
  EXPECT_TRUE(WaitUntil([&] { return !node1_->brain().flushed().empty(); })) << Explain();
  EXPECT_TRUE(BecomeEqual(2)) << Explain();
}

TEST_F(ConfigSyncTest, AnEmptyMasterDoesNotWipeTheBackup) {
  fs::create_directories(scratch_ / "node1/tree");
  Write(On2("precious"), "the only copy");
  Raise();
  AssumeRoles();
  auto says = [](Node& node) {
    return node.root().problem.find("empty on the master and not on the backup") !=
           std::string::npos;
  };
  ASSERT_TRUE(WaitUntil([&] { return says(*node1_) && says(*node2_); })) << Explain();
  EXPECT_EQ(Read(On2("precious")), "the only copy");
  EXPECT_FALSE(node1_->root().Equal());
  Write(On1("precious"), "restored");
  EXPECT_TRUE(BecomeEqual(2)) << Explain();
  EXPECT_EQ(Read(On2("precious")), "restored");
}

TEST_F(ConfigSyncTest, AMasterWithoutTheRootDoesNotWipeTheBackup) {
  Write(On2("precious"), "the only copy");
  Raise();
  AssumeRoles();
  ASSERT_TRUE(WaitUntil([&] {
    return node2_->root().problem.find("missing on the master") != std::string::npos;
  })) << Explain();
  EXPECT_EQ(Read(On2("precious")), "the only copy");
}

TEST_F(ConfigSyncTest, AFileCanBeARoot) {
  Raise({{scratch_ / "shared/etc/one.conf", {}}, {scratch_ / "shared/etc/two.conf", {}}});
  Write(*node1_ / "etc/one.conf", "1", 0600);
  Write(*node1_ / "etc/two.conf", "2");
  Write(*node1_ / "etc/other.conf", "not ours");
  AssumeRoles();
  EXPECT_TRUE(WaitUntil([&] {
    return Read(*node2_ / "etc/two.conf") == "2" && node1_->brain().root(1).Equal();
  })) << Explain();
  EXPECT_EQ(Read(*node2_ / "etc/one.conf"), "1");
  EXPECT_EQ(ModeOf(*node2_ / "etc/one.conf"), 0600U);
  Write(*node1_ / "etc/new", "3");
  fs::rename(*node1_ / "etc/new", *node1_ / "etc/one.conf");
  EXPECT_TRUE(WaitUntil([&] { return Read(*node2_ / "etc/one.conf") == "3"; }));
  EXPECT_TRUE(BecomeEqual(1)) << Explain();
  EXPECT_EQ(std::distance(fs::directory_iterator(*node2_ / "etc"), fs::directory_iterator()), 2);
}

TEST_F(ConfigSyncTest, WhatIsNotReplicatedIsNamed) {
  Write(On1("a"), "one");
  fs::create_symlink("/etc/passwd", On1("out"));
  Raise();
  AssumeRoles();
  ASSERT_TRUE(WaitUntil([&] { return node1_->root().Equal(); })) << Explain();
  EXPECT_THAT(node1_->root().problem, HasSubstr("out is a symbolic link out of the root"));
  EXPECT_EQ(Read(On2("a")), "one");
  EXPECT_FALSE(fs::exists(fs::symlink_status(On2("out"))));
}

TEST_F(ConfigSyncTest, ADirectoryThatHoldsExcludedFilesStays) {
  Write(On1("dir/a"), "one");
  Raise();
  AssumeRoles();
  ASSERT_TRUE(BecomeEqual(3)) << Explain();
  Write(On2("dir/mine.swp"), "not the master's business");
  fs::remove_all(On1("dir"));
  Write(On1("b"), "two");
  EXPECT_TRUE(WaitUntil([&] {
    return node1_->root().problem.find("holds what is not replicated") != std::string::npos;
  })) << Explain();
  EXPECT_EQ(Read(On2("b")), "two");
  EXPECT_EQ(Read(On2("dir/mine.swp")), "not the master's business");
  EXPECT_FALSE(fs::exists(On2("dir/a")));
}

TEST_F(ConfigSyncTest, RootsThatCannotBeAreRefusedAtTheStart) {
  Raise({{scratch_ / "shared/a", {}}});
  Node node(scratch_, "node3", "node1", {{"relative", {}}});
  EXPECT_THAT(std::string(node.started().message()), HasSubstr("absolute"));
}

// Somebody who holds the peer's key, and means harm.
class Hostile : public ConfigSyncTest {
 protected:
  void SetUp() override {
    Write(On2("a"), "untouched");
    Raise();
    node2_->Assume(Role::kBackup, 5);
    stub_ = v1::ConfigSyncService::NewStub(
        grpc::CreateChannel(node2_->address(), grpc::InsecureChannelCredentials()));
  }
  v1::SyncRequest Manifest(uint64_t term = 5) {
    v1::SyncRequest request;
    v1::ManifestPart& part = *request.mutable_manifest();
    part.set_root(scratch_ / "shared/tree");
    part.set_term(term);
    part.set_generation(1);
    part.set_last(true);
    v1::Entry& root = *part.add_entries();
    root.set_type(v1::ENTRY_TYPE_DIRECTORY);
    root.set_mode(0755);
    return request;
  }
  // Sends all, then reads until the node ends the call.
  grpc::Status Send(const std::vector<v1::SyncRequest>& requests) {
    grpc::ClientContext context;
    auto stream = stub_->Sync(&context);
    for (const v1::SyncRequest& request : requests) {
      if (!stream->Write(request)) break;
    }
    v1::SyncReply reply;
    while (stream->Read(&reply)) continue;
    return stream->Finish();
  }
  void ExpectUntouched() {
    EXPECT_EQ(Read(On2("a")), "untouched");
    EXPECT_FALSE(fs::exists(scratch_ / "node2/evil"));
    EXPECT_FALSE(fs::exists(On2(".zcluster-stage")));
  }
  std::unique_ptr<v1::ConfigSyncService::Stub> stub_;
};

TEST_F(Hostile, PathsThatLeadOutAreRefused) {
  for (const std::string path : {"../evil", "/evil", "a/../../evil", "./evil", "x//evil", "", "..",
                                 ".zcluster-stage", "x/.zcluster-stage/evil"}) {
    v1::SyncRequest request = Manifest();
    v1::Entry& entry = *request.mutable_manifest()->add_entries();
    entry.set_path(path);
    entry.set_type(v1::ENTRY_TYPE_DIRECTORY);
    entry.set_mode(0755);
    const grpc::Status status = Send({request});
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << path;
    ExpectUntouched();
  }
}

TEST_F(Hostile, ALinkIsNoWayOut) {
  v1::SyncRequest request = Manifest();
  v1::Entry& link = *request.mutable_manifest()->add_entries();
  link.set_path("l");
  link.set_type(v1::ENTRY_TYPE_SYMLINK);
  link.set_target("..");
  EXPECT_EQ(Send({request}).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  link.set_target("a");
  v1::Entry& below = *request.mutable_manifest()->add_entries();
  below.set_path("l/evil");
  below.set_type(v1::ENTRY_TYPE_DIRECTORY);
  EXPECT_EQ(Send({request}).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ExpectUntouched();
}

TEST_F(Hostile, MessagesOutOfTurnAreRefused) {
  v1::SyncRequest file;
  file.mutable_files()->add_parts()->set_digest(std::string(16, 'x'));
  v1::SyncRequest commit;
  commit.mutable_commit();
  v1::SyncRequest other = Manifest();
  other.mutable_manifest()->set_root("/etc");
  v1::SyncRequest half = Manifest();
  half.mutable_manifest()->set_last(false);
  v1::SyncRequest mixed = Manifest();
  mixed.mutable_manifest()->set_generation(2);
  for (const auto& requests : std::vector<std::vector<v1::SyncRequest>>{
           {file}, {commit}, {v1::SyncRequest()}, {other}, {half, mixed}, {half, commit}}) {
    EXPECT_EQ(Send(requests).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    ExpectUntouched();
  }
}

TEST_F(Hostile, AContentThatIsNotWhatItSaysIsRefused) {
  v1::SyncRequest request = Manifest();
  v1::Entry& entry = *request.mutable_manifest()->add_entries();
  entry.set_path("a");
  entry.set_type(v1::ENTRY_TYPE_FILE);
  entry.set_mode(0644);
  entry.set_size(4);
  entry.set_digest(std::string(16, 'x'));
  v1::SyncRequest file;
  v1::FilePart& part = *file.mutable_files()->add_parts();
  part.set_digest(std::string(16, 'x'));
  part.set_content("evil");
  part.set_last(true);
  v1::SyncRequest longer = file;
  longer.mutable_files()->mutable_parts(0)->set_content("more than it said");
  longer.mutable_files()->mutable_parts(0)->set_last(false);
  v1::SyncRequest huge = file;
  huge.mutable_files()->mutable_parts(0)->set_content(std::string((1 << 20) + 1, 'x'));
  v1::SyncRequest commit;
  commit.mutable_commit();
  for (const auto& requests : std::vector<std::vector<v1::SyncRequest>>{
           {request, file}, {request, longer}, {request, huge}, {request, commit}}) {
    EXPECT_EQ(Send(requests).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    ExpectUntouched();
  }
}

TEST_F(Hostile, ManifestsBeyondTheBoundsAreRefused) {
  v1::SyncRequest many = Manifest();
  for (int i = 0; i < 1000; ++i) {
    v1::Entry& entry = *many.mutable_manifest()->add_entries();
    entry.set_path(absl::StrCat("d", 1000 + i));
    entry.set_type(v1::ENTRY_TYPE_DIRECTORY);
  }
  EXPECT_EQ(Send({many}).error_code(), grpc::StatusCode::INVALID_ARGUMENT);  // in one part
  many.mutable_manifest()->mutable_entries()->RemoveLast();
  many.mutable_manifest()->set_last(false);
  EXPECT_EQ(Send(std::vector<v1::SyncRequest>(101, many)).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  v1::SyncRequest setuid = Manifest();
  setuid.mutable_manifest()->mutable_entries(0)->set_mode(04755);
  EXPECT_EQ(Send({setuid}).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ExpectUntouched();
}

TEST_F(Hostile, ATermThatIsOverAndAMasterRefuse) {
  node2_->Assume(Role::kBackup, 8);
  EXPECT_EQ(Send({Manifest(7)}).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  node2_->Assume(Role::kMaster, 9);
  EXPECT_EQ(Send({Manifest(10)}).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  ExpectUntouched();
}

}  // namespace
}  // namespace zcluster::configsync
