// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace google::protobuf {
class EnumValueDescriptor;
class Message;
}  // namespace google::protobuf

namespace zcluster {

// A YAML document (UTF-8) read into a protobuf message, strictly: the message is the schema.
class YamlDocument {
 public:
  // Reads `text` (which `file` names in errors) into `message`. An empty document is an empty
  // message. A key that the schema lacks, a
  // wrong type, a value that does not fit, a key given twice: INVALID_ARGUMENT "file:line: field:
  // what is wrong, what is expected". Durations are "100ms", "1s", "1h30m"; enums their names
  // without the type's prefix (KEEP); booleans true or false.
  absl::Status Read(absl::string_view file, absl::string_view text,
                    google::protobuf::Message& message);

  // The error "file:line: field: problem" for a field that was read (or, if it was not given, for
  // its nearest given parent): for checks that a schema cannot make. `field` is a path such as
  // "vrrp.router_id" or "vips[2].address".
  absl::Status ErrorAt(absl::string_view field, absl::string_view problem) const;

 private:
  friend class YamlReader;
  std::string file_;
  std::map<std::string, int> lines_;  // field path -> line
};

// The canonical text of `message`, which Read() reads back to an equal one: what is set and nothing
// else, in the order of the fields' numbers; the same message gives the same bytes. Texts are
// quoted unless every reader takes the bare ones for what they are, and hold no control character.
// For messages of the types that Read() knows, with durations that it takes and UTF-8 texts.
std::string WriteYaml(const google::protobuf::Message& message);

// KEEP for FAILBACK_KEEP: an enum value's name without its type's name.
std::string ShortName(const google::protobuf::EnumValueDescriptor& value);

}  // namespace zcluster
