// SPDX-License-Identifier: Apache-2.0
// zctl operator add: admits an operator, and writes the file with which it reaches the pair,
// or the fleet.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/file.h"
#include "common/pki.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "ctl/output/utf8.h"
#include "ctl/remote/credential.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/operator.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// Takes the place of the credential before the agent is asked: whoever was admitted has a file. The
// file is new, and goes away again unless it is kept.
class Place {
 public:
  static absl::StatusOr<Place> Take(const std::string& path) {
    UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd) return Place(path);
    if (errno != EEXIST) return ErrnoStatus(path);
    return absl::AlreadyExistsError(
        absl::StrCat(path, " is there already; move it away, or --out names another file"));
  }
  Place(Place&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  absl::Status Keep(const std::string& content) {
    ZC_RETURN_IF_ERROR(WriteFileDurably(path_, content, 0600));
    path_.clear();
    return absl::OkStatus();
  }

 private:
  explicit Place(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// The key is made here and leaves this process only for the credential's file.
absl::StatusOr<v1::AddOperatorResponse> Add(Context& context, Credential& credential) {
  ZC_ASSIGN_OR_RETURN(credential.key, pki::MakeKey());
  v1::AddOperatorRequest request;
  request.set_name(credential.name);
  request.set_role(RightOf(context.Value("--role")));
  // Whoever signs it writes the name of its pair or fleet into the certificate, whatever is asked
  // for.
  ZC_ASSIGN_OR_RETURN(
      *request.mutable_request(),
      pki::MakeRequest(credential.key, absl::StrCat("zcluster://any/operator/", credential.name)));
  v1::AddOperatorResponse response;
  ZC_RETURN_IF_ERROR(
      Ask(context, [&request, &response](const Channel& channel, grpc::ClientContext* call) {
        return v1::OperatorService::NewStub(channel)->Add(call, request, &response);
      }));
  credential.pair = response.pair();
  credential.addresses.assign(response.addresses().begin(), response.addresses().end());
  credential.certificate = response.certificate();
  credential.ca = response.ca_certificate();
  return response;
}

void Tell(Context& context, const Credential& credential, const std::string& path,
          absl::Time expires) {
  const std::string role = context.Value("--role");
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"name", Json::String(credential.name)},
                                 {"role", Json::String(role)},
                                 {"pair", Json::String(credential.pair)},
                                 {"addresses", Json::Strings(credential.addresses)},
                                 {"file", Json::String(path)},
                                 {"expires", Json::Time(expires)}}));
    return;
  }
  context.out << Sanitise(absl::StrCat("operator ", credential.name, " (", role, ") may reach the ",
                                       Whole(context), " ", credential.pair, " at ",
                                       absl::StrJoin(credential.addresses, ", ")))
              << "\nits credential, a secret, is " << Sanitise(path) << ", good until "
              << Date(expires) << "; there: zctl context add " << Sanitise(credential.pair)
              << " --credential FILE\n";
}

}  // namespace

ExitCode OperatorAdd(Context& context) {
  Credential credential;
  credential.name = context.words[0];
  if (!context.Given("--role")) {
    return Fail(context, absl::InvalidArgumentError(
                             "--role is missing: viewer looks, operator also steers what is there, "
                             "admin also changes it"));
  }
  // The agent says what a name may be; here it becomes a file's.
  const bool unsafe = credential.name.find('/') != std::string::npos || credential.name[0] == '.';
  if (credential.name.empty() || (unsafe && !context.Given("--out"))) {
    return Fail(context,
                absl::InvalidArgumentError(absl::StrCat("'", credential.name,
                                                        "' cannot name an operator; use letters, "
                                                        "digits, '-', '.'")));
  }
  const std::string path =
      context.Given("--out") ? context.Value("--out") : credential.name + ".zctl";
  auto place = Place::Take(path);
  if (!place.ok()) return Fail(context, place.status());
  const auto response = Add(context, credential);
  if (!response.ok()) return Fail(context, response.status(), ExitCode::kConflict);
  std::string text = CredentialText(credential);
  pki::Wipe(credential.key);
  const absl::Status kept = place->Keep(text);
  pki::Wipe(text);
  if (!kept.ok()) {
    return Fail(context, Annotate(kept, absl::StrCat("operator ", credential.name,
                                                     " was admitted, but its credential is lost "
                                                     "(add it again, or revoke it)")));
  }
  Tell(context, credential, path, ToAbsl(response->expires()));
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
