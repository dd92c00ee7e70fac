// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/print.h"

#include <ostream>

#include "ctl/output/yaml.h"

namespace zcluster::ctl {

bool ForPrograms(const Context& context) { return context.format != Format::kTable; }

void Print(Context& context, const Json& value) {
  if (context.format == Format::kYaml) {
    context.out << Yaml(value) << std::flush;
  } else {
    context.out << value.text() << '\n' << std::flush;
  }
}

}  // namespace zcluster::ctl
