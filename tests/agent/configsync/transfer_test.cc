// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/transfer.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/agent/configsync/scratch.h"

namespace zcluster::configsync {
namespace {

TEST(ManifestParts, AreBoundedAndMakeTheWholeAgain) {
  Manifest manifest{{{"", EntryType::kDirectory, 03755, 1, 2}}};
  for (int i = 0; i < 2500; ++i) {
    manifest.entries.push_back(
        {absl::StrCat(i), EntryType::kFile, 0644, 3, 4, 5, Digest{6, static_cast<uint64_t>(i)}});
  }
  manifest.entries.push_back({"l", EntryType::kSymlink, 0, 0, 0, 0, {}, "\xff target"});
  for (int i = 0; i < 1000; ++i) {
    manifest.entries.push_back(
        {absl::StrCat(std::string(4000, 'm'), i), EntryType::kDirectory, 0700});
  }
  Manifest back;
  v1::ManifestPart part;
  for (size_t at = 0; !part.last();) {
    part.Clear();
    FillPart(manifest, at, part);
    EXPECT_LE(part.entries_size(), kMaxPartEntries);
    EXPECT_LT(part.ByteSizeLong(), size_t{1} << 20);
    ASSERT_TRUE(TakePart(part, back).ok());
  }
  EXPECT_EQ(back.entries, manifest.entries);
}

TEST(ManifestParts, WithWhatIsUnknownAreRefused) {
  v1::ManifestPart part;
  v1::Entry& entry = *part.add_entries();
  Manifest manifest;
  EXPECT_FALSE(TakePart(part, manifest).ok());
  entry.set_type(static_cast<v1::EntryType>(77));
  EXPECT_FALSE(TakePart(part, manifest).ok());
  entry.set_type(v1::ENTRY_TYPE_FILE);
  EXPECT_FALSE(TakePart(part, manifest).ok()) << "a file without a digest";
}

class FileSourceTest : public testing::Test {
 protected:
  FileSourceTest() {
    Write(scratch_ / "root/f", "something");
    Hasher hasher;
    hasher.Add("something");
    entry_ = {"f", EntryType::kFile, 0644, 0, 0, 9, hasher.Finish()};
  }
  // Reads it all in pieces of at most 4 bytes.
  absl::Status ReadAll(std::string& content) {
    auto tree = Tree::Open(scratch_ / "root");
    auto source = FileSource::Open(*tree, entry_);
    if (!source.ok()) return source.status();
    v1::FilePart part;
    while (!part.last()) {
      const absl::Status status = source->Fill(4, part);
      if (!status.ok()) return status;
      content += part.content();
    }
    return absl::OkStatus();
  }
  Scratch scratch_;
  Entry entry_;
};

TEST_F(FileSourceTest, GivesTheFileInPieces) {
  std::string content;
  EXPECT_TRUE(ReadAll(content).ok());
  EXPECT_EQ(content, "something");
}

TEST_F(FileSourceTest, NoticesThatItChanged) {
  std::string content;
  Write(scratch_ / "root/f", "SOMETHING");
  EXPECT_TRUE(absl::IsAborted(ReadAll(content)));
  Write(scratch_ / "root/f", "some");
  EXPECT_TRUE(absl::IsAborted(ReadAll(content)));
  std::filesystem::remove(scratch_ / "root/f");
  std::filesystem::create_symlink("g", scratch_ / "root/f");
  EXPECT_FALSE(ReadAll(content).ok());
}

}  // namespace
}  // namespace zcluster::configsync
