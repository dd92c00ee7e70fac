// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/agent.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "ctl/output/figures.h"
#include "ctl/output/utf8.h"
#include "ctl/remote/contexts.h"
#include "ctl/remote/dial.h"

namespace zcluster::ctl {
namespace {

constexpr char kDefaultSocket[] = "/run/zcluster/agent.sock";

// Tries the socket itself: its errno says what gRPC's error text would have to be searched for.
absl::Status Knock(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("--socket: ", path.size(),
                                                   " bytes; a socket's path has at most ",
                                                   sizeof(address.sun_path) - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
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
      return absl::PermissionDeniedError(
          absl::StrCat("may not talk to the agent on ", path,
                       "; root may (sudo zctl ...), and whoever is in the group zcluster"));
    default:
      return absl::UnavailableError(absl::StrCat("no agent answers on ", path,
                                                 "; is zagent running? (journalctl -u zagent)"));
  }
}

absl::Status ReachLocal(Context& context) {
  const std::string path = context.socket.empty() ? kDefaultSocket : context.socket;
  ZC_RETURN_IF_ERROR(Knock(path));
  context.where = absl::StrCat("on ", path);
  context.channel =
      grpc::CreateChannel(absl::StrCat("unix:", path), grpc::InsecureChannelCredentials());
  return absl::OkStatus();
}

absl::Status ReachRemote(Context& context, const std::string& name) {
  ZC_ASSIGN_OR_RETURN(const Credential credential, Contexts::OfUser().Get(name));
  ZC_ASSIGN_OR_RETURN(Reached reached, Dial(credential, context.timeout));
  context.where = absl::StrCat("at ", reached.address);
  context.channel = std::move(reached.channel);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ChosenContext(const Context& context) {
  if (!context.context.empty()) {
    if (context.context != kLocalContext && !context.socket.empty()) {
      return absl::InvalidArgumentError("--socket and --context name two agents; keep one");
    }
    return context.context;
  }
  if (!context.socket.empty()) return std::string(kLocalContext);
  const char* environment = std::getenv("ZCTL_CONTEXT");
  if (environment != nullptr && *environment != '\0') return std::string(environment);
  return Contexts::OfUser().Current();
}

absl::StatusOr<Channel> Reach(Context& context) {
  if (context.channel == nullptr) {
    ZC_ASSIGN_OR_RETURN(const std::string name, ChosenContext(context));
    ZC_RETURN_IF_ERROR(name == kLocalContext
                           ? ReachLocal(context)
                           : Annotate(ReachRemote(context, name), "context " + name));
  }
  return context.channel;
}

void LimitTime(const Context& context, grpc::ClientContext& call) {
  if (context.timeout <= absl::ZeroDuration()) return;
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
    return absl::UnavailableError(absl::StrCat("the agent ", context.where,
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
  if (code == absl::StatusCode::kCancelled) {
    return absl::UnavailableError(
        absl::StrCat("the agent gave the request up: ", status.error_message()));
  }
  return absl::Status(code, status.error_message());
}

absl::Status Ask(Context& context,
                 absl::FunctionRef<grpc::Status(const Channel&, grpc::ClientContext*)> call) {
  ZC_ASSIGN_OR_RETURN(const Channel channel, Reach(context));
  grpc::ClientContext client;
  LimitTime(context, client);
  const grpc::Status status = call(channel, &client);
  return status.ok() ? absl::OkStatus() : Outcome(context, status, /*answered=*/false);
}

ExitCode Fail(Context& context, const absl::Status& status, ExitCode aborted) {
  context.out.flush();
  context.err << context.program.name << ": " << SanitiseLines(status.message()) << std::endl;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kInvalidArgument:
      return ExitCode::kUsage;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return ExitCode::kNotPermitted;
    case absl::StatusCode::kCancelled:
      return ExitCode::kUnconfirmed;
    case absl::StatusCode::kAborted:
      return aborted;
    default:
      return ExitCode::kFailed;
  }
}

}  // namespace zcluster::ctl
