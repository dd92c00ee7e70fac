// SPDX-License-Identifier: Apache-2.0
#include "ctl/ctl.h"

#include <ostream>

#include "ctl/command_line.h"
#include "ctl/verbs.h"
#include "ctl/verbs/help.h"

namespace zcluster::ctl {
namespace {

ExitCode Carry(const CommandLine& line, std::ostream& out, std::ostream& err, int out_fd,
               int in_fd) {
  const Program& program = VerbTable();
  if (line.version) {
    out << program.name << ' ' << program.version << '\n';
    return ExitCode::kOk;
  }
  if (line.help) {
    out << (line.verb != nullptr  ? VerbHelp(program, *line.verb)
            : !line.group.empty() ? HelpOn(program, line.group)
                                  : ProgramHelp(program));
    return ExitCode::kOk;
  }
  if (line.verb == nullptr) {
    err << ProgramHelp(program);
    return ExitCode::kUsage;
  }
  Context context{.program = program,
                  .verb = *line.verb,
                  .out = out,
                  .err = err,
                  .style = Style::For(out_fd, line.no_color),
                  .in_fd = in_fd,
                  .out_fd = out_fd,
                  .format = line.format,
                  .socket = line.socket,
                  .context = line.context,
                  .timeout = line.timeout.value_or(line.verb->timeout),
                  .words = line.words,
                  .flags = line.flags,
                  .values = line.values};
  return line.verb->run(context);
}

}  // namespace

int Zctl(const std::vector<std::string>& words, std::ostream& out, std::ostream& err, int out_fd,
         int in_fd) {
  const Program& program = VerbTable();
  const auto line = Parse(program, words);
  if (!line.ok()) {
    err << program.name << ": " << line.status().message() << "\nTry `" << program.name
        << " --help`.\n";
    return static_cast<int>(ExitCode::kUsage);
  }
  const ExitCode code = Carry(*line, out, err, out_fd, in_fd);
  out.flush();
  if (out.fail()) {
    err << program.name << ": cannot write to standard output\n";
    return static_cast<int>(ExitCode::kFailed);
  }
  return static_cast<int>(code);
}

}  // namespace zcluster::ctl
