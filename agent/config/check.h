// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/duration.pb.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/values.h"
#include "common/yaml.h"

// What a single value of the agent's files must look like, beside what is common to all.
namespace zcluster::config {

using values::Address;
using values::CheckFingerprint;
using values::CheckName;
using values::CheckNodeName;
using values::CheckPath;
using values::CheckText;
using values::CheckUnicast;
using values::ParseAddress;
using values::ParseEndpoint;

// The problem, said at its place in the file.
absl::Status At(const YamlDocument& document, absl::string_view field, const absl::Status& status);

absl::Duration DurationOf(const google::protobuf::Duration& duration);

// 1 to 15 letters, digits, '-', '_', '.', '+': the kernel allows more, but these names stand in
// keepalived's and nftables' configuration, where other characters may mean something.
absl::Status CheckInterface(absl::string_view name);
// A root must not hold the agent's own files, nor be held by them.
absl::Status CheckRoot(absl::string_view path);

// The names between braces in a template's argument: "a{x}b" has x.
std::vector<std::string> Placeholders(absl::string_view argument);

}  // namespace zcluster::config
