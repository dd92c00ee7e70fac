// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ctl/verbs/verb.h"

// Help, written from the table. Ends with a newline.
namespace zcluster::ctl {

// The whole program: every verb in a line.
std::string ProgramHelp(const Program& program);

// One verb: what it takes, what it is for, examples.
std::string VerbHelp(const Program& program, const Verb& verb);

// All verbs whose name is `name`, or begins with that word ("maintenance"); empty if there are
// none.
std::string HelpOn(const Program& program, const std::string& name);

// "zctl run [OPTIONS] [NAME] [KEY=VALUE...]"
std::string Usage(const Program& program, const Verb& verb);

// "-o, --output FORMAT"
std::string Spelling(const Option& option);

}  // namespace zcluster::ctl
