// SPDX-License-Identifier: Apache-2.0
#include "common/scrubbing.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace zcluster {
namespace {

constexpr size_t kBlock = 20'000;

// Fills blocks, frees them, and looks whether blocks of that size have the filling still.
bool LeavesWhatItFrees() {
  for (int round = 0; round < 8; ++round) {
    void* block = std::malloc(kBlock);
    std::memset(block, 'p', kBlock);
    asm volatile("" : : "r"(block) : "memory");  // else it is left out: nobody reads it
    // Above: keeps it from melting into the top of the heap.
    void* guard = std::malloc(64);
    std::free(block);
    char* again = static_cast<char*>(std::malloc(kBlock));
    const std::string seen(again + kBlock / 2, 100);
    std::free(again);
    std::free(guard);
    if (seen == std::string(100, 'p')) return true;
  }
  return false;
}

TEST(Scrubbing, OverwritesWhatIsFreedAsLongAsOneExists) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's malloc is not glibc's";
#endif
  EXPECT_TRUE(LeavesWhatItFrees()) << "this test sees nothing";
  const Scrubbing first;
  EXPECT_FALSE(LeavesWhatItFrees());
  { const Scrubbing second; }
  EXPECT_FALSE(LeavesWhatItFrees());
}

}  // namespace
}  // namespace zcluster
