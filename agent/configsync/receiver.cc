// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/receiver.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "agent/configsync/transfer.h"
#include "common/file.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

bool IsFile(const Manifest& manifest) {
  return !manifest.entries.empty() && manifest.entries[0].type == EntryType::kFile;
}

bool IsDirectory(const Manifest& manifest) {
  return !manifest.entries.empty() && manifest.entries[0].type == EntryType::kDirectory;
}

}  // namespace

Receiver::Receiver(Roots& roots, core::Term& highest_term, Agreed& agreed,
                   const std::string& kept_dir)
    : roots_(roots),
      highest_term_(highest_term),
      agreed_(agreed),
      kept_dir_(kept_dir),
      exchanged_(roots.size()) {}

void Receiver::NewCall() {
  incoming_.reset();
  for (Exchanged& exchanged : exchanged_) exchanged.committed.reset();
}

absl::StatusOr<absl::optional<v1::SyncReply>> Receiver::Receive(const v1::SyncRequest& request) {
  switch (request.kind_case()) {
    case v1::SyncRequest::kManifest:
      return ReceiveManifest(request.manifest());
    case v1::SyncRequest::kFiles:
      return ReceiveFiles(request.files());
    case v1::SyncRequest::kCommit:
      return ReceiveCommit();
    case v1::SyncRequest::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("a message of an unknown kind");
}

absl::StatusOr<Receiver::Reply> Receiver::ReceiveManifest(const v1::ManifestPart& part) {
  if (!incoming_.has_value() || incoming_->manifest_complete) {
    ZC_RETURN_IF_ERROR(Begin(part));
  } else if (part.root() != roots_.at(incoming_->root).root.path ||
             part.term() != incoming_->term.value || part.generation() != incoming_->generation) {
    return absl::InvalidArgumentError("parts of two manifests are mixed");
  }
  ZC_RETURN_IF_ERROR(TakePart(part, incoming_->wanted));
  if (!part.last()) return Reply();
  return ManifestComplete();
}

absl::Status Receiver::Begin(const v1::ManifestPart& part) {
  const core::Term term{part.term()};
  if (term < highest_term_) {
    return absl::FailedPreconditionError(
        absl::StrCat("term ", term.value, " is over: term ", highest_term_.value, " was seen"));
  }
  const size_t root = roots_.IndexOf(part.root());
  if (root == roots_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Shown(part.root()), " is not a root of this node's configuration"));
  }
  highest_term_ = term;
  incoming_.reset();  // its stage too, before there is another
  incoming_.emplace();
  incoming_->root = root;
  incoming_->term = term;
  incoming_->generation = part.generation();
  return absl::OkStatus();
}

absl::StatusOr<Receiver::Reply> Receiver::ManifestComplete() {
  Incoming& in = *incoming_;
  const HeldRoot& held = roots_.Rescan(in.root);
  ZC_RETURN_IF_ERROR(Annotate(CheckManifest(held.root.path, in.wanted), Shown(held.root.path)));
  in.manifest_complete = true;
  const Digest wanted = in.wanted.RootDigest();
  exchanged_[in.root].master_digest = wanted.Hex();
  if (held.readable && wanted == held.digest) return Answer(absl::OkStatus());
  absl::Status status = CheckAcceptable(held);
  if (status.ok()) status = Prepare(held);
  if (!status.ok()) return Answer(status);
  v1::SyncReply reply;
  absl::flat_hash_set<Digest> named;
  reply.mutable_missing();
  for (const Content& content : in.plan.missing) {
    if (named.insert(content.digest).second) {
      reply.mutable_missing()->add_digests(content.digest.Bytes());
    }
  }
  return Reply(std::move(reply));
}

absl::Status Receiver::CheckAcceptable(const HeldRoot& held) const {
  const Manifest& wanted = incoming_->wanted;
  if (!held.readable) return absl::FailedPreconditionError(held.problem);
  // DESIGN §5.4: an empty node is never the source. A fresh or half-mounted master must not wipe
  // the only copy.
  if (!wanted.HasContent() && held.manifest->HasContent()) {
    return absl::FailedPreconditionError(absl::StrCat(
        Shown(held.root.path), " is ", wanted.entries.empty() ? "missing" : "empty",
        " on the master and not on the backup: restore it on the master, or empty it on both"));
  }
  if ((IsFile(wanted) && IsDirectory(*held.manifest)) ||
      (IsDirectory(wanted) && IsFile(*held.manifest))) {
    return absl::FailedPreconditionError(
        absl::StrCat(Shown(held.root.path),
                     " is a directory on one node and a file on the other: remove the wrong one"));
  }
  for (const Entry& entry : wanted.entries) {
    if (IsExcluded(held.root.exclude, entry.path)) {
      return absl::FailedPreconditionError(
          absl::StrCat(Shown(entry.path), " is excluded on the backup and not on the master"));
    }
  }
  return absl::OkStatus();
}

absl::Status Receiver::Prepare(const HeldRoot& held) {
  Incoming& in = *incoming_;
  in.held = held.manifest;
  in.touched = true;
  // An empty root that is to vanish: there is nothing to stage, and no harm in keeping it.
  if (in.wanted.entries.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(Shown(held.root.path), " does not exist on the master"));
  }
  if (in.held->entries.empty()) {
    const std::string holder(ParentOf(held.root.path));
    if (!holder.empty()) ZC_RETURN_IF_ERROR(MakeDirectories(holder, 0755));
    if (IsDirectory(in.wanted)) ZC_RETURN_IF_ERROR(MakeDirectories(held.root.path, 0700));
  }
  ZC_ASSIGN_OR_RETURN(Tree tree, Tree::Open(held.root.path));
  in.tree = std::make_unique<Tree>(std::move(tree));
  in.plan = MakePlan(*in.held, in.wanted);
  ZC_ASSIGN_OR_RETURN(in.stage, Stage::Make(*in.tree, held.root.path, IsFile(in.wanted)));
  uint64_t bytes = 0;
  for (size_t i : in.plan.renames) bytes += in.wanted.entries[i].size;
  ZC_RETURN_IF_ERROR(in.stage->CheckSpace(bytes));
  for (const Content& content : in.plan.missing) in.stage->Expect(content);
  return absl::OkStatus();
}

absl::StatusOr<Receiver::Reply> Receiver::ReceiveFiles(const v1::FileParts& files) {
  if (!incoming_.has_value() || !incoming_->manifest_complete) {
    return absl::InvalidArgumentError("a content without a manifest");
  }
  size_t bytes = 0;
  for (const v1::FilePart& part : files.parts()) bytes += part.content().size();
  if (bytes > kMaxContent || files.parts_size() > kMaxPieces) {
    return absl::InvalidArgumentError(absl::StrCat(files.parts_size(), " pieces of ", bytes,
                                                   " bytes in a message; at most ", kMaxPieces,
                                                   " of ", kMaxContent, " are allowed"));
  }
  for (const v1::FilePart& part : files.parts()) {
    ZC_ASSIGN_OR_RETURN(const Digest digest, Digest::FromBytes(part.digest()));
    if (!incoming_->failed.ok()) continue;
    const absl::Status status = incoming_->stage->Receive(digest, part.content(), part.last());
    if (absl::IsInvalidArgument(status)) return status;
    incoming_->failed = status;
  }
  return Reply();
}

absl::StatusOr<Receiver::Reply> Receiver::ReceiveCommit() {
  if (!incoming_.has_value() || !incoming_->manifest_complete) {
    return absl::InvalidArgumentError("a commit without a manifest");
  }
  Incoming& in = *incoming_;
  if (!in.failed.ok()) return Answer(in.failed);
  ZC_RETURN_IF_ERROR(in.stage->CheckComplete());
  const HeldRoot& held = roots_.at(in.root);
  if (agreed_.Changed(held.root.path, held.digest)) {
    const absl::Status kept =
        KeepAside(kept_dir_, held.root.path, in.term.value, *in.tree, *in.held, in.wanted, in.plan);
    // Nothing is lost: rather both trees stay as they are, and both nodes say why.
    if (!kept.ok()) return Answer(Annotate(kept, "what was changed here cannot be kept aside"));
  }
  return Answer(Commit(*in.tree, *in.stage, *in.held, in.wanted, in.plan));
}

Receiver::Reply Receiver::Answer(const absl::Status& status) {
  const size_t root = incoming_->root;
  const uint64_t generation = incoming_->generation;
  const bool touched = incoming_->touched;
  incoming_.reset();  // the stage goes before the root is read
  const HeldRoot& held = touched ? roots_.Rescan(root) : roots_.at(root);
  Exchanged& exchanged = exchanged_[root];
  const std::string before = std::exchange(exchanged.problem, std::string(status.message()));
  exchanged.committed = held.digest;
  if (status.ok()) agreed_.Set(held.root.path, held.digest);
  v1::SyncReply reply;
  reply.mutable_committed()->set_digest(held.digest.Hex());
  if (!status.ok()) {
    if (exchanged.problem != before) {
      log::Warning("config_refused", {{"root", held.root.path}, {"problem", exchanged.problem}});
    }
    reply.mutable_committed()->set_error(exchanged.problem);
  } else if (touched) {
    log::Info("config_committed", {{"root", held.root.path},
                                   {"generation", absl::StrCat(generation)},
                                   {"digest", held.digest.Hex()}});
  }
  return reply;
}

}  // namespace zcluster::configsync
