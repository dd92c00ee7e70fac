// SPDX-License-Identifier: Apache-2.0
#include "controller/core/selector.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status.h"
#include "common/strings.h"
#include "controller/core/names.h"

namespace zcluster::controller {
namespace {

// More than anybody types; a selector is tried on every pair of the fleet.
constexpr size_t kMaxText = 4096;
constexpr size_t kMaxTerms = 64;
constexpr size_t kMaxValues = 256;

bool IsSpace(char c) { return c == ' ' || c == '\t'; }
bool IsWord(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-_./", c);
}

bool IsState(absl::string_view key) {
  return key == "name" || key == "status" || key == "ready" || key == "master" || key == "node";
}

// "RED"; empty for a colour that there is not.
absl::string_view ColourName(absl::string_view text) {
  for (const absl::string_view name : {"GREEN", "RED", "GREY", "ORANGE"}) {
    if (absl::EqualsIgnoreCase(text, name)) return name;
  }
  return "";
}

bool OneOf(const std::vector<std::string>& values, absl::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

class Selector::Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<Term>> Terms() {
    std::vector<Term> terms;
    if (text_.size() > kMaxText) {
      return absl::InvalidArgumentError(
          absl::StrCat("has ", text_.size(), " bytes; at most ", kMaxText, " are read"));
    }
    SkipSpace();
    if (AtEnd()) return terms;
    while (true) {
      if (terms.size() == kMaxTerms)
        return Wrong(absl::StrCat("its end: there are at most ", kMaxTerms, " terms"));
      ZC_ASSIGN_OR_RETURN(Term term, OneTerm());
      terms.push_back(std::move(term));
      if (AtEnd()) return terms;
      if (!Eat(",")) return Wrong("',' or its end");
    }
  }

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  void SkipSpace() {
    while (!AtEnd() && IsSpace(text_[at_])) ++at_;
  }
  // Passes over `mark`, if it stands here, and over space.
  bool Eat(absl::string_view mark) {
    if (!absl::StartsWith(text_.substr(at_), mark)) return false;
    at_ += mark.size();
    SkipSpace();
    return true;
  }
  absl::string_view Word() {
    const size_t begin = at_;
    while (!AtEnd() && IsWord(text_[at_])) ++at_;
    const absl::string_view word = text_.substr(begin, at_ - begin);
    SkipSpace();
    return word;
  }
  absl::Status Wrong(absl::string_view expected) const {
    const std::string found =
        AtEnd() ? "is its end" : absl::StrCat("is '", Printable(text_.substr(at_, 20)), "'");
    return absl::InvalidArgumentError(
        absl::StrCat("at character ", at_ + 1, " ", found, "; expected ", expected));
  }

  absl::StatusOr<Term> OneTerm() {
    Term term;
    const bool absent = Eat("!");
    const size_t begin = at_;
    term.key = std::string(Word());
    if (const absl::Status status = CheckLabel(term.key, ""); !status.ok()) {
      at_ = begin;
      return Wrong("a label's key, or name, status, ready, master, node");
    }
    if (absent) {
      term.negated = true;
      return term;
    }
    if (AtEnd() || text_[at_] == ',') return term;
    term.negated = Eat("!=");
    if (term.negated || Eat("==") || Eat("=")) {
      ZC_RETURN_IF_ERROR(Value(term));
      return term;
    }
    const size_t operation = at_;
    const absl::string_view word = Word();
    term.negated = word == "notin";
    if ((word == "in" || term.negated) && Eat("(")) {
      ZC_RETURN_IF_ERROR(List(term));
      return term;
    }
    at_ = operation;
    return Wrong(absl::StrCat("'=', '!=', 'in (...)', 'notin (...)' or ',' after ", term.key));
  }

  // The values between parentheses, apart by spaces or commas.
  absl::Status List(Term& term) {
    if (!AtEnd() && text_[at_] == ')') return Wrong("at least one value");
    while (!Eat(")")) {
      if (AtEnd()) return Wrong("')'");
      if (!term.values.empty() && Eat(",")) continue;
      if (!IsWord(text_[at_])) return Wrong("a value or ')'");
      if (term.values.size() == kMaxValues)
        return Wrong(absl::StrCat("')': there are at most ", kMaxValues, " values"));
      ZC_RETURN_IF_ERROR(Value(term));
    }
    return absl::OkStatus();
  }

  absl::Status Value(Term& term) {
    const size_t begin = at_;
    std::string value(Word());
    if (term.key == "status") {
      const absl::string_view colour = ColourName(value);
      if (colour.empty()) {
        at_ = begin;
        return Wrong("GREEN, RED, GREY or ORANGE");
      }
      value = std::string(colour);
    } else if (term.key == "ready" && value != "true" && value != "false") {
      at_ = begin;
      return Wrong("true or false");
    }
    term.values.push_back(std::move(value));
    return absl::OkStatus();
  }

  const absl::string_view text_;
  size_t at_ = 0;
};

absl::StatusOr<Selector> Selector::Parse(absl::string_view text) {
  absl::StatusOr<std::vector<Term>> terms = Parser(text).Terms();
  if (!terms.ok()) return Annotate(terms.status(), "selector");
  Selector selector;
  selector.terms_ = *std::move(terms);
  return selector;
}

bool Selector::Holds(const Term& term, const v1::PairSummary& pair) {
  const auto has = [&term](absl::string_view value) {
    return term.values.empty() ? !value.empty() : OneOf(term.values, value);
  };
  if (!IsState(term.key)) {
    const auto label = pair.labels().find(term.key);
    if (label == pair.labels().end()) return false;
    return term.values.empty() || OneOf(term.values, label->second);
  }
  if (term.key == "name") return has(pair.name());
  if (term.key == "master") return has(pair.master());
  if (term.key == "status") {
    const std::string& name = v1::Status_Name(pair.status());
    return has(absl::StripPrefix(name, "STATUS_"));
  }
  if (term.key == "ready")
    return term.values.empty() ? pair.ready() : OneOf(term.values, pair.ready() ? "true" : "false");
  return std::any_of(pair.nodes().begin(), pair.nodes().end(),
                     [&has](const v1::FleetNode& node) { return has(node.name()); });
}

bool Selector::Matches(const v1::PairSummary& pair) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&pair](const Term& term) { return Holds(term, pair) != term.negated; });
}

}  // namespace zcluster::controller
