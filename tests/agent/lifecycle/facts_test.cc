// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/clock.h"

namespace zcluster::lifecycle {
namespace {

using testing::HasSubstr;

v1::Facts FactsOf(const std::string& name, absl::Time now) {
  v1::Facts facts;
  facts.set_name(name);
  facts.set_version("0.1.0");
  facts.set_protocol(1);
  facts.mutable_now()->set_seconds(absl::ToUnixSeconds(now));
  return facts;
}

class Facts : public testing::Test {
 protected:
  absl::Status Verdict() const { return Compare(here, there, now, absl::Milliseconds(2)); }
  std::string Refusal() const { return std::string(Verdict().message()); }

  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  v1::Facts here = FactsOf("lb1", now);
  v1::Facts there = FactsOf("lb2", now);
};

TEST_F(Facts, OfTwoLikeNodesFit) { EXPECT_TRUE(Verdict().ok()) << Verdict(); }

TEST_F(Facts, OfClocksSecondsApartFit) {
  there.mutable_now()->set_seconds(there.now().seconds() + 50);
  EXPECT_TRUE(Verdict().ok()) << Verdict();
}

TEST_F(Facts, OfClocksMinutesApartAreRefused) {
  there.mutable_now()->set_seconds(there.now().seconds() + 180);
  EXPECT_THAT(Refusal(), testing::AllOf(HasSubstr("the clocks are 3m"), HasSubstr("lb2 is ahead"),
                                        HasSubstr("chrony")));
  there = FactsOf("lb2", now - absl::Hours(2));
  EXPECT_THAT(Refusal(), testing::AllOf(HasSubstr("2h"), HasSubstr("lb2 is behind")));
}

TEST_F(Facts, OfNeighbouringProtocolsFitAndOthersAreRefused) {
  there.set_protocol(2);
  EXPECT_TRUE(Verdict().ok()) << Verdict();
  there.set_protocol(3);
  there.set_version("0.9.0");
  EXPECT_THAT(Refusal(), testing::AllOf(HasSubstr("lb2 has 0.9.0 (protocol 3)"),
                                        HasSubstr("upgrade the older one")));
}

TEST_F(Facts, OfOneNameAreRefused) {
  there.set_name("lb1");
  EXPECT_THAT(Refusal(), HasSubstr("both nodes call themselves 'lb1'"));
}

TEST_F(Facts, OfANameThatCouldNotBeWrittenAreRefused) {
  there.set_name("lb2 }\n");
  EXPECT_EQ(Verdict().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(Facts, NameWhatEitherNodeLacks) {
  there.add_problems("lb2: keepalived is missing; apt-get install keepalived");
  EXPECT_THAT(Refusal(), HasSubstr("lb2: keepalived is missing"));
  here.add_problems("lb1: port 7700 is in use");
  EXPECT_THAT(Refusal(), HasSubstr("lb1: port 7700 is in use"));
}

}  // namespace
}  // namespace zcluster::lifecycle
