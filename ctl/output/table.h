// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ctl/output/style.h"

namespace zcluster::ctl {

// Lines of aligned columns for people.
class Table {
 public:
  // Any text; it is sanitised here, so that none can break the table or the terminal.
  struct Cell {
    Cell(std::string t, Colour c = Colour::kPlain);  // NOLINT: a text is a cell
    Cell(const char* t) : Cell(std::string(t)) {}    // NOLINT
    std::string text;
    Colour colour;
  };

  // With an empty header no header line is shown.
  explicit Table(std::vector<std::string> header);

  // As many cells as the header has, if there is one.
  void Add(std::vector<Cell> row);

  // Each line begins with `indent` spaces and ends with a newline; columns are two spaces apart,
  // and the last one is not padded.
  std::string Render(const Style& style, size_t indent = 0) const;

 private:
  std::vector<std::vector<Cell>> rows_;
  bool has_header_;
};

}  // namespace zcluster::ctl
