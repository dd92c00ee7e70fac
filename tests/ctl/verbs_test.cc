// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>

#include "ctl/ctl.h"
#include "ctl/verbs/help.h"
#include "tests/support/certificates.h"

namespace zcluster::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string OutputOf(const std::vector<std::string>& words) {
  std::ostringstream out, err;
  EXPECT_EQ(Zctl(words, out, err, -1, -1), 0) << err.str();
  return out.str();
}

TEST(VerbTable, SaysAllOfEachVerb) {
  for (const Verb& verb : VerbTable().verbs) {
    EXPECT_THAT(verb.summary, Not(IsEmpty())) << verb.name;
    EXPECT_THAT(verb.description, Not(IsEmpty())) << verb.name;
    EXPECT_NE(verb.run, nullptr) << verb.name;
    ASSERT_THAT(verb.examples, Not(IsEmpty())) << verb.name;
    for (const Example& example : verb.examples) {
      EXPECT_THAT(example.line, HasSubstr("zctl " + verb.name));
    }
  }
}

TEST(VerbTable, HelpOfEachVerbHasUsageOptionsAndExamples) {
  for (const Verb& verb : VerbTable().verbs) {
    const std::string help = VerbHelp(VerbTable(), verb);
    EXPECT_THAT(help, StartsWith("Usage: zctl " + verb.name));
    EXPECT_THAT(help,
                AllOf(HasSubstr("--output"), HasSubstr("Examples:\n  " + verb.examples[0].line)));
    for (const Option& option : verb.options) EXPECT_THAT(help, HasSubstr(option.name));
  }
}

TEST(VerbTable, ProgramHelpListsEveryVerbAndExitCode) {
  const std::string help = OutputOf({"--help"});
  for (const Verb& verb : VerbTable().verbs)
    EXPECT_THAT(help, HasSubstr("\n  " + verb.name + "  "));
  for (int exit = 0; exit <= 7; ++exit) {
    EXPECT_THAT(help, HasSubstr("\n  " + std::to_string(exit) + "  "));
  }
  EXPECT_EQ(OutputOf({"help"}), help);
}

TEST(VerbTable, HelpOnAVerbIsItsHelp) {
  EXPECT_EQ(OutputOf({"help", "maintenance", "enter"}),
            OutputOf({"maintenance", "enter", "--help"}));
  EXPECT_THAT(OutputOf({"maintenance", "--help"}),
              AllOf(HasSubstr("maintenance enter"), HasSubstr("maintenance start")));
}

TEST(VerbTable, ManualPageHasEveryVerbOptionAndExample) {
  const std::string page = OutputOf({"man"});
  EXPECT_THAT(page, StartsWith(".TH ZCTL 1 "));
  for (const Verb& verb : VerbTable().verbs)
    EXPECT_THAT(page, HasSubstr(".SS \"zctl " + verb.name));
  EXPECT_THAT(page, AllOf(HasSubstr("\\-\\-force"), HasSubstr(".SH EXIT STATUS"),
                          HasSubstr("source <(zctl completion bash)")));
}

TEST(VerbTable, CompletionHasEveryFirstWordAndOption) {
  const std::string script = OutputOf({"completion", "bash"});
  EXPECT_THAT(
      script,
      HasSubstr("'nodes reload watch status readiness events explain conflicts conntrack cluster "
                "node "
                "switchover maintenance freeze unfreeze run fleet operator audit context version "
                "completion "
                "man help'"));
  EXPECT_THAT(script, HasSubstr("'maintenance') choices='enter start'"));
  EXPECT_THAT(script, HasSubstr("'fleet') choices='list show watch events flows token label forget "
                                "switchover maintenance run'"));
  EXPECT_THAT(script, HasSubstr("'fleet maintenance') choices='enter start'"));
  for (const Option& option : VerbTable().options) EXPECT_THAT(script, HasSubstr(option.name));
}

// What a shell makes of it, with `words` on the line and the cursor at the last. `zctl` stands for
// the program, if the completion asks it.
std::string Completed(const std::string& words, const std::string& zctl = "false") {
  const std::string script =
      OutputOf({"completion", "bash"}) + "zctl() { " + zctl + "; }; COMP_WORDS=(" + words +
      "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _zctl; echo ${COMPREPLY[*]}";
  setenv("ZT_COMPLETION", script.c_str(), 1);
  FILE* shell = popen("bash -c \"$ZT_COMPLETION\"", "r");
  std::string out;
  for (int c; (c = std::fgetc(shell)) != EOF;) out += static_cast<char>(c);
  EXPECT_EQ(pclose(shell), 0);
  return out;
}

TEST(VerbTable, CompletionWorksInTheShell) {
  EXPECT_EQ(Completed("zctl sw"), "switchover\n");
  EXPECT_EQ(Completed("zctl -o json maintenance e"), "enter\n");
  EXPECT_EQ(Completed("zctl maintenance enter --forc"), "--force\n");
  EXPECT_EQ(Completed("zctl nodes -o ''"), "table json yaml\n");
  EXPECT_EQ(Completed("zctl cluster u"), "unconfigure\n");
  EXPECT_EQ(Completed("zctl cluster create --failback ''"), "KEEP PREFERRED\n");
  EXPECT_EQ(Completed("zctl cluster create --vip 192.0.2.10/24 --vi"), "--vip\n");
  EXPECT_EQ(Completed("zctl operator add anna --role a"), "admin\n");
  EXPECT_EQ(Completed("zctl cluster apply -f /proc/self/mountin"), "/proc/self/mountinfo\n");
  EXPECT_EQ(Completed("zctl nodes --f"), "\n");
  EXPECT_EQ(Completed("zctl fl"), "fleet\n");
  EXPECT_EQ(Completed("zctl fleet maintenance s"), "start\n");
  EXPECT_EQ(Completed("zctl fleet switchover web-1 --se"), "--selector\n");
}

TEST(VerbTable, CompletionAsksForPairsAndNodes) {
  const std::string list =
      "printf '%s\\n' 'NAME STATUS MASTER READY FLOWS NODES LABELS MESSAGE' "
      "'web-1 GREEN lb1 yes 80,311 lb1,lb2 - well' 'web-2 GREY - no 0 - - away'";
  EXPECT_EQ(Completed("zctl fleet show w", list), "web-1 web-2\n");
  EXPECT_EQ(Completed("zctl fleet switchover web-1 w", list), "web-1 web-2\n");
  EXPECT_EQ(Completed("zctl fleet maintenance enter web-1/", list), "web-1/lb1 web-1/lb2\n");
}

// `compgen -W` expands what it is given as the shell does.
TEST(VerbTable, CompletionRunsNothingOfWhatItIsTold) {
  const test::TempDirectory directory;
  const std::string proof = directory.path() + "/proof";
  const std::string hostile = "$(touch${IFS}" + proof + ")";
  const std::string list = "printf '%s\n' 'NAME STATUS' '" + hostile + " GREEN lb1 yes 1 lb1' " +
                           "'web GREEN lb1 yes 1 " + hostile + ",lb2'";
  EXPECT_EQ(Completed("zctl fleet show ''", list), "web\n");
  EXPECT_EQ(Completed("zctl fleet maintenance enter ''", list), "web/lb2\n");
  EXPECT_EQ(Completed("zctl run ''", list), "web\n");
  EXPECT_NE(access(proof.c_str(), F_OK), 0) << "a name was run";
}

}  // namespace
}  // namespace zcluster::ctl
