// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace zcluster::ctl {

// All of zctl but the process: carries out the command line `words` (without the program's name)
// and returns the exit code (ExitCode in verbs/verb.h). `out` is coloured only if it stands for a
// terminal, which `out_fd` is asked about. Questions are asked only if `in_fd` is a terminal.
int Zctl(const std::vector<std::string>& words, std::ostream& out, std::ostream& err, int out_fd,
         int in_fd);

}  // namespace zcluster::ctl
