// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/table.h"

#include <algorithm>
#include <utility>

#include "ctl/output/utf8.h"

namespace zcluster::ctl {

Table::Cell::Cell(std::string t, Colour c) : text(Sanitise(t)), colour(c) {}

Table::Table(std::vector<std::string> header) : has_header_(!header.empty()) {
  if (!has_header_) return;
  std::vector<Cell> row;
  for (std::string& name : header) row.emplace_back(std::move(name), Colour::kBold);
  rows_.push_back(std::move(row));
}

void Table::Add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

std::string Table::Render(const Style& style, size_t indent) const {
  std::vector<size_t> widths;
  for (const std::vector<Cell>& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i].text));
  }
  std::string out;
  for (const std::vector<Cell>& row : rows_) {
    out.append(indent, ' ');
    size_t shown = row.size();
    while (shown > 0 && row[shown - 1].text.empty()) --shown;
    for (size_t i = 0; i < shown; ++i) {
      out += style.Paint(row[i].colour, row[i].text);
      if (i + 1 < shown) out.append(widths[i] - Width(row[i].text) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

}  // namespace zcluster::ctl
