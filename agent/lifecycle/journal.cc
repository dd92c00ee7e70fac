// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/journal.h"

#include "common/file.h"
#include "common/status.h"
#include "common/yaml.h"

namespace zcluster::lifecycle {

absl::StatusOr<v1::Journal> ReadJournal(const std::string& file) {
  v1::Journal journal;
  const absl::StatusOr<std::string> text = ReadFile(file, 64 << 10);
  if (absl::IsNotFound(text.status())) return journal;
  if (!text.ok()) return text.status();
  YamlDocument document;
  ZC_RETURN_IF_ERROR(document.Read(file, *text, journal));
  return journal;
}

absl::Status WriteJournal(const std::string& file, const std::string& id,
                          v1::Journal::Phase phase) {
  v1::Journal journal;
  journal.set_id(id);
  journal.set_phase(phase);
  return WriteFileDurably(file, WriteYaml(journal), 0600);
}

absl::Status RemoveJournal(const std::string& file) { return RemoveFileDurably(file); }

}  // namespace zcluster::lifecycle
