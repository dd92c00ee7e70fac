// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "common/pki.h"

namespace zcluster::bootstrap {

struct WipeAndDelete {
  void operator()(std::string* text) const {
    pki::Wipe(*text);
    delete text;
  }
};

// A text that is wiped where it lay. On the heap, because a short std::string that is moved leaves
// a copy behind.
using Secret = std::unique_ptr<std::string, WipeAndDelete>;

}  // namespace zcluster::bootstrap
