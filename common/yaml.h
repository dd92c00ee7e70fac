// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace zcluster {

// A YAML document read into a protobuf message, strictly: the message is the schema.
class YamlDocument {
 public:
  // Reads `text` (which `file` names in errors) into `message`. A key that the schema lacks, a
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

}  // namespace zcluster
