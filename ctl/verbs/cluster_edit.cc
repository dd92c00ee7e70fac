// SPDX-License-Identifier: Apache-2.0
// zctl cluster edit: the pair's configuration in the operator's own editor.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/file.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/change.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

constexpr size_t kMaxDocument = 1 << 20;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The operator's editor: may be several words, as for git and visudo.
std::string Editor() {
  for (const char* name : {"VISUAL", "EDITOR"}) {
    if (!Environment(name).empty()) return Environment(name);
  }
  return "vi";
}

// A file of ours alone (0600) with `text`. Its ending tells editors what it is.
absl::StatusOr<std::string> MakeDraft(const std::string& text) {
  const std::string directory = Environment("TMPDIR").empty() ? "/tmp" : Environment("TMPDIR");
  const std::string ending = ".yaml";
  std::string path = absl::StrCat(directory, "/zctl-edit-XXXXXX", ending);
  const UniqueFd made(mkstemps(path.data(), static_cast<int>(ending.size())));
  if (!made) return ErrnoStatus(path);
  ZC_RETURN_IF_ERROR(WriteFileAtomically(path, text, 0600));
  return path;
}

absl::Status RunEditor(const std::string& path) {
  const std::string editor = Editor();
  const std::string quoted = absl::StrCat("'", absl::StrReplaceAll(path, {{"'", "'\\''"}}), "'");
  // Through a shell, for editors of several words. system() leaves interrupts to the editor.
  const int status = std::system(absl::StrCat(editor, " ", quoted).c_str());
  if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat("the editor '", editor,
                                         "' failed; VISUAL or EDITOR names "
                                         "another"));
}

std::string Heading(const v1::DescribeResponse& reply) {
  return absl::StrCat("# The configuration of the pair ", Sanitise(reply.config().name()),
                      ". Save and leave the editor to apply it;\n# leave it unchanged, or empty, "
                      "and nothing is done.\n");
}

class Editing {
 public:
  Editing(Context& context, std::string path, std::string original)
      : context_(context),
        prompt_(context.in_fd, context.err),
        path_(std::move(path)),
        text_(std::move(original)) {}

  ExitCode Run() {
    const std::string original = text_;
    for (;;) {
      const absl::Status edited = Edit();
      if (!edited.ok()) return Keep(Fail(context_, edited));
      if (text_ == original || text_.empty()) {
        unlink(path_.c_str());
        context_.err << "unchanged; nothing was done\n";
        return ExitCode::kOk;
      }
      const ExitCode code = Apply();
      if (code == ExitCode::kOk) {
        unlink(path_.c_str());
        return code;
      }
      if (!prompt_.IsTerminal() || !prompt_.Confirm("Edit it again?")) return Keep(code);
    }
  }

 private:
  absl::Status Edit() {
    ZC_RETURN_IF_ERROR(RunEditor(path_));
    ZC_ASSIGN_OR_RETURN(text_, ReadFile(path_, kMaxDocument));
    return absl::OkStatus();
  }
  ExitCode Apply() {
    v1::Change change;
    change.set_document(text_);  // with the heading: an error's line is the file's
    change.set_document_name(path_);
    return CarryOut(context_, prompt_, change);
  }
  // Nobody's work is thrown away.
  ExitCode Keep(ExitCode code) {
    context_.err << "your text is kept in " << path_ << "; `zctl cluster apply -f` takes it\n";
    return code;
  }

  Context& context_;
  Prompt prompt_;
  std::string path_;
  std::string text_;
};

}  // namespace

ExitCode ClusterEdit(Context& context) {
  v1::DescribeResponse reply;
  const absl::Status status =
      Ask(context, [&reply](const Channel& channel, grpc::ClientContext* call) {
        return v1::ClusterService::NewStub(channel)->Describe(call, v1::DescribeRequest(), &reply);
      });
  if (!status.ok()) return Fail(context, status);
  const std::string text = absl::StrCat(Heading(reply), reply.document());
  const auto path = MakeDraft(text);
  if (!path.ok()) return Fail(context, path.status());
  return Editing(context, *path, text).Run();
}

}  // namespace zcluster::ctl
