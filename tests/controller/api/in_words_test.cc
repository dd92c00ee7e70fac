// SPDX-License-Identifier: Apache-2.0
#include "controller/api/in_words.h"

#include <gtest/gtest.h>

namespace zcluster::controller {
namespace {

TEST(InWords, NamesWhatWasAskedAndNoSecret) {
  v1::FleetRunRequest run;
  run.set_pair("web-1");
  run.mutable_run()->set_name("restart");
  (*run.mutable_run()->mutable_arguments())["key"] = "secret";
  EXPECT_EQ(InWords(run), "pair=web-1 name=restart");
  v1::AddOperatorRequest add;
  add.set_name("anna");
  add.set_role(static_cast<v1::Right>(99));
  add.set_request("PEM");
  EXPECT_EQ(InWords(add), "name=anna role=unknown");
  v1::FleetEnterRequest enter;
  enter.set_pair("web-1");
  enter.set_node("lb1");
  enter.set_force(true);
  EXPECT_EQ(InWords(enter), "pair=web-1 node=lb1 force");
  enter.set_reason("new\ndisk");
  enter.mutable_length()->set_seconds(7200);
  EXPECT_EQ(InWords(enter), "pair=web-1 node=lb1 force for=2h reason=new\\x0Adisk");
}

TEST(InWords, CutsWhatIsLong) {
  v1::LabelPairRequest label;
  label.set_pair(std::string(100'000, 'p'));
  for (int i = 0; i < 10'000; ++i) {
    (*label.mutable_set())[std::to_string(i)] = std::string(1000, 'v');
    label.add_remove("x");
  }
  EXPECT_LT(InWords(label).size(), 1000U);
}

}  // namespace
}  // namespace zcluster::controller
