// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/memory.h"

#include <malloc.h>

#include "agent/conntrack/changes.h"
#include "agent/conntrack/expectation_table.h"
#include "agent/conntrack/flow_table.h"
#include "tests/agent/conntrack/expecting.h"
#include "tests/agent/conntrack/netns.h"

// What is told of memory, against what malloc gave.
namespace zcluster::conntrack {
namespace {

constexpr int kFlows = 50'000;

size_t Allocated() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

class Memory : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's malloc is not glibc's";
#endif
  }

  // A flow that has something few have, or not.
  Flow At(int i) const { return GetParam() ? WithShift(Natted(i), 7) : Natted(i); }

  void ExpectTold(size_t told) const {
    const size_t taken = Allocated() - before_;
    EXPECT_GT(told, taken * 95 / 100) << taken;
    EXPECT_LT(told, taken * 105 / 100) << taken;
  }

  const size_t before_ = Allocated();
};

TEST_P(Memory, OfWhatABackupHoldsIsToldWhole) {
  FlowTable table;
  Flow whole;
  for (int i = 0; i < kFlows; ++i) table.Name(At(i), whole);
  for (int i = 0; i < kFlows; i += 2) table.Skip(Natted(i, "10.1.0.3"));
  whole = {};
  ExpectTold(table.Memory());
}

TEST_P(Memory, OfWhatAMasterSendsIsToldWholeBeforeAndAfterItIsTaken) {
  Changes changes([] {});
  changes.BeginSnapshot();
  for (int i = 0; i < kFlows; ++i) changes.Add({At(i)}, absl::UnixEpoch());
  // Which the snapshot must complete, and those that end while it is made.
  for (int i = kFlows; i < kFlows + 9000; ++i) {
    Flow flow = At(i);
    flow.has_tcp = false;
    changes.Add({flow}, absl::UnixEpoch());
    flow.gone = true;
    if (i % 2 == 0) changes.Add({flow}, absl::UnixEpoch());
  }
  for (uint16_t i = 0; i < 20'000; ++i) changes.AddExpectations({ActiveFtp(Control(), i)});
  ExpectTold(changes.Memory());
  const size_t waiting = changes.Memory();
  {
    Changes::Batch batch;
    while (changes.Take(1000, batch)) {
    }
  }
  ExpectTold(changes.Memory());
  EXPECT_LT(changes.Memory(), waiting - kFlows * sizeof(Flow));
}

TEST_P(Memory, OfExpectationsIsToldWhole) {
  ExpectationTable table;
  for (uint16_t i = 0; i < 20'000; ++i) table.Name(ActiveFtp(Control(), i));
  ExpectTold(table.Memory());
}

INSTANTIATE_TEST_SUITE_P(Flows, Memory, testing::Bool(), [](const auto& named) {
  return named.param ? "WithWhatFewHave" : "Ordinary";
});

}  // namespace
}  // namespace zcluster::conntrack
