// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>

// ZC_CHECK(condition): ends the process if what only our own bug can break is broken. On in
// production: a restarted agent is harmless by design, a wrong decision is not.
#define ZC_CHECK(condition)                                                                       \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      std::fprintf(stderr, "check_failed file=%s line=%d condition=\"%s\"\n", __FILE__, __LINE__, \
                   #condition);                                                                   \
      std::abort();                                                                               \
    }                                                                                             \
  } while (false)
