// SPDX-License-Identifier: Apache-2.0
#include "common/yaml.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <yaml-cpp/yaml.h>

#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/status.h"
#include "common/strings.h"

namespace zcluster {
namespace {

namespace pb = google::protobuf;

// A document is a page an operator wrote; deeper or longer is a mistake or an attack (aliases
// multiply).
constexpr int kMaxDepth = 16;
constexpr size_t kMaxElements = 100000;

std::string Child(absl::string_view parent, absl::string_view name) {
  return parent.empty() ? std::string(name) : absl::StrCat(parent, ".", name);
}

int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

std::string KindOf(const YAML::Node& node) {
  if (node.IsMap()) return "a mapping";
  if (node.IsSequence()) return "a list";
  if (node.IsNull() || !node.IsDefined()) return "nothing";
  return absl::StrCat("'", Printable(node.Scalar().substr(0, 80)), "'");
}

// How many bytes the UTF-8 character takes that `text` begins with; 0 if it is none (RFC 3629, 4).
size_t Utf8Length(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const size_t length = byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Longer than need be, a surrogate, beyond the last one.
  if ((byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xed && byte(1) >= 0xa0)) return 0;
  if ((byte(0) == 0xf0 && byte(1) < 0x90) || (byte(0) == 0xf4 && byte(1) >= 0x90)) return 0;
  return length;
}

// The line of the first byte that is not UTF-8; 0 if all are.
int LineThatIsNotUtf8(absl::string_view text) {
  int line = 1;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) return line;
    if (text[0] == '\n') ++line;
    text.remove_prefix(length);
  }
  return 0;
}

std::string KnownKeys(const pb::Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return absl::StrJoin(names, ", ");
}

std::string EnumChoices(const pb::EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) names.push_back(ShortName(*type.value(i)));
  }
  return absl::StrJoin(names, " or ");
}

}  // namespace

std::string ShortName(const pb::EnumValueDescriptor& value) {
  std::string prefix;
  for (char c : value.type()->name()) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !prefix.empty())
      prefix.push_back('_');
    prefix.push_back(absl::ascii_toupper(static_cast<unsigned char>(c)));
  }
  return std::string(absl::StripPrefix(value.name(), prefix + "_"));
}

// Walks the YAML tree along the message's descriptor.
class YamlReader {
 public:
  explicit YamlReader(YamlDocument& document) : document_(document) {}

  absl::Status ReadMessage(const YAML::Node& node, const std::string& path, pb::Message& message,
                           int depth) {
    if (depth > kMaxDepth) return Wrong(node, path, "is nested too deeply");
    const pb::Descriptor& type = *message.GetDescriptor();
    if (!node.IsMap()) {
      return Wrong(node, path,
                   absl::StrCat("is ", KindOf(node), "; expected keys: ", KnownKeys(type)));
    }
    std::set<std::string> seen;
    for (const auto& item : node) {
      if (!item.first.IsScalar()) return Wrong(item.first, path, "has a key that is not a word");
      const std::string& key = item.first.Scalar();
      const std::string field_path = Child(path, key);
      const pb::FieldDescriptor* field = type.FindFieldByName(key);
      if (field == nullptr) {
        return Wrong(item.first, Printable(field_path.substr(0, 160)),
                     absl::StrCat("unknown key; expected one of: ", KnownKeys(type)));
      }
      if (!seen.insert(key).second)
        return Wrong(item.first, field_path, "is given twice; keep one");
      document_.lines_[field_path] = LineOf(item.first);
      ZC_RETURN_IF_ERROR(ReadField(item.second, field_path, *field, message, depth));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Wrong(const YAML::Node& node, absl::string_view path, absl::string_view problem) {
    // yaml-cpp places "nothing" where the next thing begins: the key's line says more.
    const auto key = document_.lines_.find(std::string(path));
    const int line = node.IsNull() && key != document_.lines_.end() ? key->second : LineOf(node);
    return absl::InvalidArgumentError(absl::StrCat(
        document_.file_, ":", line, ": ", path.empty() ? "document" : path, ": ", problem));
  }

  absl::Status ReadField(const YAML::Node& node, const std::string& path,
                         const pb::FieldDescriptor& field, pb::Message& message, int depth) {
    if (!field.is_repeated()) return ReadValue(node, path, field, message, depth);
    if (!node.IsSequence())
      return Wrong(node, path, absl::StrCat("is ", KindOf(node), "; expected a list"));
    for (size_t i = 0; i < node.size(); ++i) {
      if (++elements_ > kMaxElements) return Wrong(node, path, "has too many elements");
      const std::string element = absl::StrCat(path, "[", i, "]");
      document_.lines_[element] = LineOf(node[i]);
      ZC_RETURN_IF_ERROR(ReadValue(node[i], element, field, message, depth));
    }
    return absl::OkStatus();
  }

  // Sets a singular field, or adds to a repeated one.
  absl::Status ReadValue(const YAML::Node& node, const std::string& path,
                         const pb::FieldDescriptor& field, pb::Message& message, int depth) {
    const pb::Reflection& reflection = *message.GetReflection();
    if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
      pb::Message* child = field.is_repeated() ? reflection.AddMessage(&message, &field)
                                               : reflection.MutableMessage(&message, &field);
      if (field.message_type() == pb::Duration::descriptor()) {
        return ReadDuration(node, path, static_cast<pb::Duration&>(*child));
      }
      return ReadMessage(node, path, *child, depth + 1);
    }
    if (!node.IsScalar()) {
      return Wrong(node, path, absl::StrCat("is ", KindOf(node), "; expected ", Wanted(field)));
    }
    const std::string& text = node.Scalar();
    if (field.is_repeated() && field.cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING)
      return UnknownType(path);
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_STRING:
        if (field.is_repeated()) {
          reflection.AddString(&message, &field, text);
        } else {
          reflection.SetString(&message, &field, text);
        }
        return absl::OkStatus();
      case pb::FieldDescriptor::CPPTYPE_BOOL:
        if (text != "true" && text != "false") break;
        reflection.SetBool(&message, &field, text == "true");
        return absl::OkStatus();
      case pb::FieldDescriptor::CPPTYPE_UINT32: {
        uint32_t value = 0;
        if (!absl::SimpleAtoi(text, &value)) break;
        reflection.SetUInt32(&message, &field, value);
        return absl::OkStatus();
      }
      case pb::FieldDescriptor::CPPTYPE_UINT64: {
        uint64_t value = 0;
        if (!absl::SimpleAtoi(text, &value)) break;
        reflection.SetUInt64(&message, &field, value);
        return absl::OkStatus();
      }
      case pb::FieldDescriptor::CPPTYPE_ENUM:
        for (int i = 0; i < field.enum_type()->value_count(); ++i) {
          const pb::EnumValueDescriptor& value = *field.enum_type()->value(i);
          if (value.number() == 0 || ShortName(value) != text) continue;
          reflection.SetEnum(&message, &field, &value);
          return absl::OkStatus();
        }
        break;
      default:
        return UnknownType(path);
    }
    return Wrong(node, path, absl::StrCat("is ", KindOf(node), "; expected ", Wanted(field)));
  }

  static absl::Status UnknownType(const std::string& path) {
    return absl::InternalError(
        absl::StrCat(path, ": the schema has a type that YAML files do not use"));
  }

  static std::string Wanted(const pb::FieldDescriptor& field) {
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_BOOL:
        return "true or false";
      case pb::FieldDescriptor::CPPTYPE_UINT32:
      case pb::FieldDescriptor::CPPTYPE_UINT64:
        return "a whole number";
      case pb::FieldDescriptor::CPPTYPE_ENUM:
        return EnumChoices(*field.enum_type());
      default:
        return "a text";
    }
  }

  absl::Status ReadDuration(const YAML::Node& node, const std::string& path, pb::Duration& result) {
    absl::Duration duration;
    if (!node.IsScalar() || !absl::ParseDuration(node.Scalar(), &duration) ||
        duration < absl::ZeroDuration() || duration > absl::Hours(24 * 3650)) {
      return Wrong(
          node, path,
          absl::StrCat("is ", KindOf(node), "; expected a duration such as 100ms, 1s or 1h30m"));
    }
    absl::Duration rest;
    result.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
    result.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
    return absl::OkStatus();
  }

  YamlDocument& document_;
  size_t elements_ = 0;
};

absl::Status YamlDocument::Read(absl::string_view file, absl::string_view text,
                                pb::Message& message) {
  file_ = std::string(file);
  lines_.clear();
  message.Clear();
  // A protobuf text must be: found here, it has a line.
  if (const int line = LineThatIsNotUtf8(text); line != 0)
    return absl::InvalidArgumentError(absl::StrCat(file_, ":", line, ": document: is not UTF-8"));
  // yaml-cpp reports what it cannot parse by exception: they end here.
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) {
      return absl::InvalidArgumentError(absl::StrCat(
          file_, ":", LineOf(documents[1]), ": document: a second document begins; keep one"));
    }
    if (documents.empty() || documents[0].IsNull()) return absl::OkStatus();
    return YamlReader(*this).ReadMessage(documents[0], "", message, 0);
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(file_, ":", error.mark.line + 1, ": document: is not YAML: ", error.msg));
  }
}

absl::Status YamlDocument::ErrorAt(absl::string_view field, absl::string_view problem) const {
  int line = 1;
  // The field itself, or the nearest parent that was given.
  for (std::string path(field); !path.empty();) {
    auto found = lines_.find(path);
    if (found != lines_.end()) {
      line = found->second;
      break;
    }
    const size_t cut = path.find_last_of(".[");
    path.resize(cut == std::string::npos ? 0 : cut);
  }
  return absl::InvalidArgumentError(absl::StrCat(file_, ":", line, ": ", field, ": ", problem));
}

}  // namespace zcluster
