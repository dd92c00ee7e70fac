// SPDX-License-Identifier: Apache-2.0
// zctl: steers a pair from one of its nodes.
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "ctl/ctl.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  return zcluster::ctl::Zctl(words, std::cout, std::cerr, STDOUT_FILENO, STDIN_FILENO);
}
