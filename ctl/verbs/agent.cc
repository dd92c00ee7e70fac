// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/agent.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "ctl/output/figures.h"
#include "ctl/output/utf8.h"

namespace zcluster::ctl {
namespace {

absl::Status NobodyAnswers(const Context& context) {
  return absl::UnavailableError(absl::StrCat("no agent answers on ", context.socket,
                                             "; is zagent running? (journalctl -u zagent)"));
}

// Tries the socket itself: its errno says what gRPC's error text would have to be searched for.
absl::Status Knock(const Context& context) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (context.socket.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("--socket: ", context.socket.size(),
                                                   " bytes; a socket's path has at most ",
                                                   sizeof(address.sun_path) - 1));
  }
  std::memcpy(address.sun_path, context.socket.c_str(), context.socket.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return ErrnoStatus("socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return absl::OkStatus();
  }
  switch (errno) {
    case EAGAIN:  // it lives, and has much to do: the deadline will tell
      return absl::OkStatus();
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(absl::StrCat(
          "may not talk to the agent on ", context.socket, "; only root may (sudo zctl ...)"));
    default:
      return NobodyAnswers(context);
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> Reach(const Context& context) {
  ZC_RETURN_IF_ERROR(Knock(context));
  return grpc::CreateChannel(absl::StrCat("unix:", context.socket),
                             grpc::InsecureChannelCredentials());
}

void LimitTime(const Context& context, grpc::ClientContext& call) {
  call.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMicroseconds(context.timeout));
}

absl::Status Outcome(const Context& context, const grpc::Status& status, bool answered) {
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  // gRPC's own word for it; the agent's deadlines come with a sentence.
  const bool our_time_is_up =
      code == absl::StatusCode::kDeadlineExceeded && status.error_message() == "Deadline Exceeded";
  if (our_time_is_up && answered) {
    return absl::DeadlineExceededError(
        absl::StrCat("no end of it within ", Short(context.timeout),
                     "; it goes on in the agent (`zctl status` shows where it stands, --timeout "
                     "waits longer)"));
  }
  if (our_time_is_up) {
    return absl::UnavailableError(absl::StrCat("the agent on ", context.socket,
                                               " did not answer within ", Short(context.timeout),
                                               " (--timeout waits longer; journalctl -u zagent)"));
  }
  if (code == absl::StatusCode::kUnavailable) {
    return absl::UnavailableError(
        absl::StrCat(answered ? "the agent went away before the end: " : "the agent went away: ",
                     status.error_message(), " (journalctl -u zagent)"));
  }
  if (code == absl::StatusCode::kUnimplemented) {
    return absl::UnimplementedError(
        "the agent does not know this request; is it older than zctl? (zctl version)");
  }
  return absl::Status(code, status.error_message());
}

ExitCode Fail(Context& context, const absl::Status& status) {
  context.out.flush();
  context.err << context.program.name << ": " << SanitiseLines(status.message()) << std::endl;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kInvalidArgument:
      return ExitCode::kUsage;
    default:
      return ExitCode::kFailed;
  }
}

}  // namespace zcluster::ctl
