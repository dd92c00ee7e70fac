// SPDX-License-Identifier: Apache-2.0
#include "agent/command/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zcluster::command {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CommandSpec Echo() { return {"echo", "Says it", {"/bin/echo", "{what}"}, {{"what", "[a-z]+"}}}; }

std::string Problem(std::vector<CommandSpec> commands) {
  return std::string(Catalogue::Make(std::move(commands), {}, "node1").status().message());
}

TEST(Catalogue, ResolvesAKnownCommand) {
  auto catalogue = Catalogue::Make({Echo()}, {"/bin/echo"}, "node1");
  ASSERT_TRUE(catalogue.ok()) << catalogue.status();
  auto argv = catalogue->Resolve("echo", {{"what", "hello"}});
  ASSERT_TRUE(argv.ok()) << argv.status();
  EXPECT_THAT(*argv, ElementsAre("/bin/echo", "hello"));
}

TEST(Catalogue, ListsWhatExistsWhenAskedForWhatDoesNot) {
  auto catalogue = Catalogue::Make({Echo()}, {"/bin/echo"}, "node1");
  const absl::Status status = catalogue->Resolve("ecko", {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "there is no command 'ecko'; there are: echo");
  EXPECT_THAT(std::string(Catalogue().Resolve("x", {}).status().message()), HasSubstr("empty"));
}

TEST(Catalogue, RefusesAProgramThatTheNodeDoesNotAllow) {
  auto catalogue = Catalogue::Make({Echo()}, {"/bin/echo2", "/bin"}, "node1");
  const absl::Status status = catalogue->Resolve("echo", {{"what", "a"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("node1 does not allow /bin/echo"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("`programs` in its agent.yaml"));
}

TEST(Catalogue, RefusesBrokenEntriesByName) {
  EXPECT_THAT(Problem({Echo(), Echo()}), HasSubstr("'echo' is given twice"));
  EXPECT_THAT(Problem({{"a", "", {}, {}}}), HasSubstr("'a': argv must begin"));
  EXPECT_THAT(Problem({{"a", "", {"echo"}, {}}}), HasSubstr("absolute"));
  EXPECT_THAT(Problem({{"a", "", {"/bin/{x}"}, {{"x", "."}}}}), HasSubstr("the program in argv"));
  EXPECT_THAT(Problem({{"a", "", {"/bin/x", "{y}"}, {{"x", "."}}}}), HasSubstr("{y}"));
  EXPECT_THAT(Problem({{"a", "", {"/bin/x"}, {}, absl::ZeroDuration()}}), HasSubstr("timeout"));
}

}  // namespace
}  // namespace zcluster::command
