// SPDX-License-Identifier: Apache-2.0
// What systemd makes of the units, as far as it can be asked without running them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agent/heartbeat/process.h"
#include "common/child.h"
#include "common/file.h"

namespace zcluster {
namespace {

using testing::HasSubstr;

constexpr const char* kUnits[] = {"zagent.service", "zcluster-keepalived.service",
                                  "zcluster-handover.service"};

std::string Unit(const std::string& name) {
  return ReadFile(absl::StrCat(ZC_SOURCE, "/deploy/systemd/", name)).value();
}

TEST(Systemd, AcceptsTheUnits) {
  std::string pattern = testing::TempDir() + "/zt-units-XXXXXX";
  const std::string directory = ::mkdtemp(pattern.data());
  std::vector<std::string> argv = {"/usr/bin/systemd-analyze", "verify", "--man=no"};
  for (const char* name : kUnits) {
    // It looks for the programs, which are not installed here.
    const std::string text = absl::StrReplaceAll(
        Unit(name), {{"/usr/sbin/zagent", "/bin/true"}, {"/usr/bin/zctl", "/bin/true"}});
    std::ofstream(absl::StrCat(directory, "/", name)) << text;
    argv.push_back(absl::StrCat(directory, "/", name));
  }
  const absl::Status verified = RunProgram(argv, "", absl::Seconds(60));
  EXPECT_TRUE(verified.ok()) << verified;
  std::filesystem::remove_all(directory);
}

TEST(Systemd, StartsTheKeepalivedThatTheAgentWouldAdopt) {
  const heartbeat::Options options{.node_name = "",
                                   .interface = "",
                                   .address = "",
                                   .peer_address = "",
                                   .advert_interval = *core::AdvertInterval::From(absl::Seconds(1)),
                                   .vips = {}};
  const std::string unit = Unit("zcluster-keepalived.service");
  EXPECT_THAT(unit,
              HasSubstr(absl::StrCat(
                  "\nExecStart=", absl::StrJoin(heartbeat::KeepalivedArgv(options), " "), "\n")));
  EXPECT_THAT(unit, HasSubstr("\nExecStartPre=/usr/sbin/zagent boot-gate\n"));
  EXPECT_THAT(unit, HasSubstr(absl::StrCat("\nConditionPathExists=", options.ConfigPath(), "\n")));
  EXPECT_THAT(unit, HasSubstr(absl::StrCat(":", options.LogPath(), "\n")));
}

TEST(Systemd, HandsOverBeforeAnythingElseIsStopped) {
  // What is started last is stopped first.
  const std::string unit = Unit("zcluster-handover.service");
  EXPECT_THAT(unit, HasSubstr("\nAfter=network-online.target nftables.service "
                              "zcluster-keepalived.service zagent.service\n"));
  EXPECT_THAT(unit, HasSubstr("\nExecStop=-/usr/bin/zctl switchover --leave "));
}

}  // namespace
}  // namespace zcluster
