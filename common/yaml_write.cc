// SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "common/check.h"
#include "common/yaml.h"

namespace zcluster {
namespace {

namespace pb = google::protobuf;

// A list of values stands on one line if that is not longer: as wide as an editor's window.
constexpr size_t kWidth = 100;

// What YAML 1.1 and 1.2 take for a truth, for nothing, or for no number.
bool IsReserved(absl::string_view text) {
  for (absl::string_view word : {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}) {
    if (absl::EqualsIgnoreCase(text, word)) return true;
  }
  return false;
}

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

// What begins with a digit is a number, a date, a time of day to one reader or another. Two kinds
// are not, and common here: 192.0.2.10 and 192.0.2.10/24.
bool MayBeNumber(absl::string_view text) {
  if (!IsDigit(text.front())) return false;
  const bool address =
      std::count(text.begin(), text.end(), '.') == 3 && IsDigit(text.back()) &&
      std::all_of(text.begin(), text.end(), [](char c) { return IsDigit(c) || c == '.'; });
  return !address && !absl::StrContains(text, '/');
}

// Whether the bare text is that text to every reader, wherever it stands. Quotes harm nobody, so
// what is not plainly harmless is quoted.
bool IsPlain(absl::string_view text) {
  if (text.empty() || IsReserved(text) || MayBeNumber(text)) return false;
  const auto is_word = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("_/", c);
  };
  return is_word(text.front()) && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_word(c) || absl::StrContains("-.+@= ", c); });
}

// A character above ASCII that YAML wants escaped, since it ends a line, begins a stream or is
// none: its bytes and its name.
struct Hidden {
  absl::string_view bytes;
  absl::string_view name;
};
constexpr Hidden kHidden[] = {{"\xe2\x80\xa8", "\\L"},
                              {"\xe2\x80\xa9", "\\P"},
                              {"\xef\xbb\xbf", "\\uFEFF"},
                              {"\xef\xbf\xbe", "\\uFFFE"},
                              {"\xef\xbf\xbf", "\\uFFFF"}};

// Appends the character that `text` begins with, and returns its length.
size_t AppendEscaped(absl::string_view text, std::string& to) {
  const auto byte = static_cast<unsigned char>(text[0]);
  for (const Hidden& hidden : kHidden) {
    if (!absl::StartsWith(text, hidden.bytes)) continue;
    to.append(hidden.name.data(), hidden.name.size());
    return hidden.bytes.size();
  }
  // U+0080 to U+009F are control characters too.
  if (byte == 0xc2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xa0) {
    absl::StrAppendFormat(&to, "\\x%02X", static_cast<unsigned char>(text[1]));
    return 2;
  }
  if (byte == '\n') {
    to += "\\n";
  } else if (byte == '\t') {
    to += "\\t";
  } else if (byte < 0x20 || byte == 0x7f) {
    absl::StrAppendFormat(&to, "\\x%02X", byte);
  } else {
    if (byte == '"' || byte == '\\') to.push_back('\\');
    to.push_back(text[0]);
  }
  return 1;
}

std::string Text(absl::string_view text) {
  if (IsPlain(text)) return std::string(text);
  std::string quoted = "\"";
  while (!text.empty()) text.remove_prefix(AppendEscaped(text, quoted));
  return quoted + "\"";
}

std::string Text(const pb::Duration& duration) {
  return absl::FormatDuration(absl::Seconds(duration.seconds()) +
                              absl::Nanoseconds(duration.nanos()));
}

bool IsBlock(const pb::FieldDescriptor& field) {
  return field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type() != pb::Duration::descriptor();
}

// A singular field's value, or the one at `index` of a repeated one.
std::string Value(const pb::Message& message, const pb::FieldDescriptor& field, int index) {
  const pb::Reflection& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_STRING:
      return Text(repeated ? reflection.GetRepeatedString(message, &field, index)
                           : reflection.GetString(message, &field));
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
      return Text(static_cast<const pb::Duration&>(
          repeated ? reflection.GetRepeatedMessage(message, &field, index)
                   : reflection.GetMessage(message, &field)));
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      ZC_CHECK(!repeated);
      return reflection.GetBool(message, &field) ? "true" : "false";
    case pb::FieldDescriptor::CPPTYPE_UINT32:
      ZC_CHECK(!repeated);
      return absl::StrCat(reflection.GetUInt32(message, &field));
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      ZC_CHECK(!repeated);
      return absl::StrCat(reflection.GetUInt64(message, &field));
    case pb::FieldDescriptor::CPPTYPE_ENUM: {
      ZC_CHECK(!repeated);
      // A value of a newer schema has a number alone, which Read refuses: better than to guess.
      const int number = reflection.GetEnumValue(message, &field);
      const pb::EnumValueDescriptor* value = field.enum_type()->FindValueByNumber(number);
      return value == nullptr ? absl::StrCat(number) : ShortName(*value);
    }
    default:
      // A type that YAML files do not use.
      ZC_CHECK(false);
      return "";
  }
}

class YamlWriter {
 public:
  // The fields that are set: the first after `first`, the others after `indent`, which is as long.
  void WriteFields(const pb::Message& message, const std::string& first,
                   const std::string& indent) {
    const std::string* before = &first;
    for (const pb::FieldDescriptor* field : SetFields(message)) {
      absl::StrAppend(&text_, *before, field->name(), ":");
      before = &indent;
      if (!IsBlock(*field)) {
        WriteValues(message, *field, indent);
      } else if (field->is_repeated()) {
        WriteList(message, *field, indent);
      } else {
        const pb::Message& child = message.GetReflection()->GetMessage(message, field);
        if (SetFields(child).empty()) {
          text_ += " {}\n";
        } else {
          text_ += "\n";
          WriteFields(child, indent + "  ", indent + "  ");
        }
      }
    }
  }

  std::string Take() { return text_.empty() ? "{}\n" : std::move(text_); }

 private:
  // In the order of their numbers.
  static std::vector<const pb::FieldDescriptor*> SetFields(const pb::Message& message) {
    std::vector<const pb::FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    return fields;
  }

  void WriteValues(const pb::Message& message, const pb::FieldDescriptor& field,
                   const std::string& indent) {
    if (!field.is_repeated()) {
      absl::StrAppend(&text_, " ", Value(message, field, 0), "\n");
      return;
    }
    std::vector<std::string> values(
        static_cast<size_t>(message.GetReflection()->FieldSize(message, &field)));
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = Value(message, field, static_cast<int>(i));
    const std::string line = absl::StrCat(" [", absl::StrJoin(values, ", "), "]\n");
    if (indent.size() + field.name().size() + line.size() <= kWidth) {
      text_ += line;
      return;
    }
    text_ += "\n";
    for (const std::string& value : values) absl::StrAppend(&text_, indent, "  - ", value, "\n");
  }

  void WriteList(const pb::Message& message, const pb::FieldDescriptor& field,
                 const std::string& indent) {
    text_ += "\n";
    const pb::Reflection& reflection = *message.GetReflection();
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const pb::Message& element = reflection.GetRepeatedMessage(message, &field, i);
      if (SetFields(element).empty()) {
        absl::StrAppend(&text_, indent, "  - {}\n");
      } else {
        WriteFields(element, indent + "  - ", indent + "    ");
      }
    }
  }

  std::string text_;
};

}  // namespace

std::string WriteYaml(const pb::Message& message) {
  YamlWriter writer;
  writer.WriteFields(message, "", "");
  return writer.Take();
}

}  // namespace zcluster
