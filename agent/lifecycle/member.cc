// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/member.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/config/config.h"
#include "agent/lifecycle/change.h"
#include "agent/store/store.h"
#include "common/file.h"
#include "common/status.h"
#include "common/yaml.h"

namespace zcluster::lifecycle {
namespace {

constexpr size_t kMaxFile = 4 << 20;
constexpr unsigned kMode = 0644;
constexpr absl::string_view kBegin =
    "# >>> Written by `zctl cluster create`; `zctl cluster unconfigure` takes it back. Leave it as "
    "it "
    "is.\n";
constexpr absl::string_view kEnd = "# <<<\n";

// The text, "" if there is no such file.
absl::StatusOr<std::string> TextOf(const std::string& file) {
  absl::StatusOr<std::string> text = ReadFile(file, kMaxFile);
  if (absl::IsNotFound(text.status())) return std::string();
  return text;
}

unsigned ModeOf(const std::string& file) {
  struct stat info;
  return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 07777 : kMode;
}

// Whoever wrote it by hand may want it back.
absl::Status KeepBeside(const std::string& file) {
  if (::rename(file.c_str(), absl::StrCat(file, ".old").c_str()) == 0 || errno == ENOENT) {
    return absl::OkStatus();
  }
  return ErrnoStatus(file);
}

// What happened to the node in its pair, and what of it was set aside because it was damaged.
absl::Status RemoveEvents(const Paths& paths) {
  const std::filesystem::path file(paths.EventsFile());
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(file.parent_path(), error)) {
    if (!absl::StartsWith(entry.path().filename().string(), file.filename().string())) continue;
    ZC_RETURN_IF_ERROR(RemoveFileDurably(entry.path().string()));
  }
  return absl::OkStatus();
}

absl::Status RemoveStore(const Paths& paths) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    ZC_RETURN_IF_ERROR(RemoveFileDurably(absl::StrCat(paths.StoreFile(), suffix)));
  }
  // Of another pair it would mean nothing. What was kept aside is the operator's.
  std::error_code error;
  std::filesystem::remove_all(paths.AgreedDir(), error);
  return RemoveEvents(paths);
}

// agent.yaml without its sections node, peer and tls.
absl::Status TakeSectionsOut(const Paths& paths) {
  ZC_ASSIGN_OR_RETURN(const std::string text, TextOf(paths.agent_file));
  const std::string mine = WithoutMembership(text);
  if (mine != text) {
    if (mine.empty()) return RemoveFileDurably(paths.agent_file);
    return WriteFileDurably(paths.agent_file, mine, ModeOf(paths.agent_file));
  }
  YamlDocument document;
  v1::AgentConfig config;
  if (absl::StripAsciiWhitespace(text).empty()) return absl::OkStatus();
  ZC_RETURN_IF_ERROR(document.Read(paths.agent_file, text, config));
  if (!config.has_node() && !config.has_peer()) return absl::OkStatus();
  const unsigned mode = ModeOf(paths.agent_file);
  ZC_RETURN_IF_ERROR(WriteFileDurably(absl::StrCat(paths.agent_file, ".old"), text, mode));
  config.clear_node();
  config.clear_peer();
  config.clear_tls();
  return WriteFileDurably(paths.agent_file, WriteYaml(config), mode);
}

}  // namespace

std::string WithMembership(absl::string_view text, const v1::AgentConfig& sections) {
  const bool ends = text.empty() || absl::EndsWith(text, "\n");
  return absl::StrCat(text, ends ? "" : "\n", kBegin, WriteYaml(sections), kEnd);
}

std::string WithoutMembership(absl::string_view text) {
  const size_t begin = text.find(kBegin);
  if (begin == absl::string_view::npos) return std::string(text);
  const size_t end = text.find(kEnd, begin);
  if (end == absl::string_view::npos) return std::string(text);
  return absl::StrCat(text.substr(0, begin), text.substr(end + kEnd.size()));
}

absl::StatusOr<config::AgentSettings> ReadSelf(const Paths& paths) {
  ZC_ASSIGN_OR_RETURN(const std::string text, TextOf(paths.agent_file));
  return config::ParseAgent(paths.agent_file, text);
}

absl::Status CheckInstallable(const Paths& paths) {
  ZC_ASSIGN_OR_RETURN(const std::string text, TextOf(paths.agent_file));
  v1::AgentConfig probe;
  probe.mutable_node()->set_name("probe");
  probe.mutable_node()->set_address("192.0.2.1");
  probe.mutable_node()->set_interface("probe");
  probe.mutable_peer()->set_name("other");
  probe.mutable_peer()->set_address("192.0.2.2");
  const absl::Status fits =
      config::ParseAgent(paths.agent_file, WithMembership(text, probe)).status();
  if (fits.ok()) return fits;
  return absl::FailedPreconditionError(
      absl::StrCat(fits.message(),
                   " (the sections node and peer are to be written behind it: it must be a plain "
                   "mapping without them)"));
}

absl::Status InstallMember(const Paths& paths, const Membership& membership) {
  ZC_RETURN_IF_ERROR(identity::Install(paths.IdentityDir(), membership.identity));
  // A term of its own makes the future master the one that goes first.
  core::Durable durable;
  if (membership.first_master) durable.highest_term.value = durable.own_term.value = 1;
  ZC_RETURN_IF_ERROR(RemoveStore(paths));  // what an earlier pair, ended by hand, may have left
  ZC_RETURN_IF_ERROR(store::Store::Create(paths.StoreFile(), durable));
  ZC_RETURN_IF_ERROR(WriteFileDurably(paths.pair_file, PairText(membership.pair), kMode));
  ZC_ASSIGN_OR_RETURN(const std::string text, TextOf(paths.agent_file));
  return WriteFileDurably(paths.agent_file, WithMembership(text, membership.agent),
                          ModeOf(paths.agent_file));
}

absl::Status RemoveMember(const Paths& paths) {
  ZC_RETURN_IF_ERROR(RemoveFileDurably(paths.ProposalFile()));
  ZC_ASSIGN_OR_RETURN(const std::string pair, TextOf(paths.pair_file));
  const bool ours = IsPairText(pair);
  ZC_RETURN_IF_ERROR(TakeSectionsOut(paths));
  ZC_RETURN_IF_ERROR(ours ? RemoveFileDurably(paths.pair_file) : KeepBeside(paths.pair_file));
  ZC_RETURN_IF_ERROR(RemoveStore(paths));
  // As an agent of a fleet this node speaks for the pair: no longer.
  ZC_RETURN_IF_ERROR(identity::Remove(paths.ControllerDir()));
  return identity::Remove(paths.IdentityDir());
}

}  // namespace zcluster::lifecycle
