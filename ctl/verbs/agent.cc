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
#include "zcluster/v1/cluster.grpc.pb.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {
namespace {

constexpr char kAgentSocket[] = "/run/zcluster/agent.sock";
constexpr char kControllerSocket[] = "/run/zcluster/controller.sock";
// Who answers there after all? Only asked of whoever has just answered.
constexpr std::chrono::seconds kWhoIsThere(2);
// Longer than a channel takes to notice that its connection was closed.
constexpr std::chrono::milliseconds kMoment(50);

std::string Unit(const Context& context) { return context.controller ? "zcontroller" : "zagent"; }
std::string Journal(const Context& context) {
  return absl::StrCat("journalctl -u ", Unit(context));
}

// Tries the socket itself: its errno says what gRPC's error text would have to be searched for.
absl::Status Knock(const Context& context, const std::string& path) {
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
          absl::StrCat("may not talk to the ", Called(context), " on ", path,
                       "; root may (sudo zctl ...), and whoever is in the group zcluster"));
    default:
      return absl::UnavailableError(absl::StrCat("no ", Called(context), " answers on ", path,
                                                 "; is ", Unit(context), " running? (",
                                                 Journal(context), ")"));
  }
}

absl::Status ReachLocal(Context& context) {
  const std::string path = !context.socket.empty() ? context.socket
                           : context.controller    ? kControllerSocket
                                                   : kAgentSocket;
  ZC_RETURN_IF_ERROR(Knock(context, path));
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
  context.controller = reached.controller;
  return absl::OkStatus();
}

// A controller also says UNAVAILABLE of an agent that it cannot ask. If it is the controller itself
// that has gone, the channel knows within a moment.
bool StillThere(const Context& context) {
  return context.channel != nullptr &&
         context.channel->GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_READY &&
         !context.channel->WaitForStateChange(GRPC_CHANNEL_READY,
                                              std::chrono::system_clock::now() + kMoment);
}

// Whether whoever answers knows the service, by a question that anybody may ask.
bool KnowsFleets(const Channel& channel) {
  grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() + kWhoIsThere);
  v1::ListPairsRequest request;
  request.set_page_size(1);
  v1::ListPairsResponse response;
  const grpc::Status status = v1::FleetService::NewStub(channel)->List(&call, request, &response);
  return status.ok() || status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
}
bool KnowsAPair(const Channel& channel) {
  grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() + kWhoIsThere);
  v1::NodesResponse response;
  const grpc::Status status =
      v1::ClusterService::NewStub(channel)->Nodes(&call, v1::NodesRequest(), &response);
  return status.ok() || status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
}

// Why whoever answers does not know the request.
absl::Status Unknown(const Context& context) {
  const Verb& verb = context.verb;
  if (verb.OfFleet() && KnowsAPair(context.channel)) {
    return absl::UnimplementedError(absl::StrCat(
        "an agent answers ", context.where, ", not a controller; `", context.program.name, " ",
        verb.name, "` is about a fleet: choose its controller (--context, ", context.program.name,
        " context list)"));
  }
  if (!verb.OfFleet() && KnowsFleets(context.channel)) {
    const std::string there =
        verb.in_fleet.empty()
            ? absl::StrCat(
                  "`", context.program.name, " ", verb.name,
                  "` is for a node of a pair: run it there, or choose the pair (--context)")
            : absl::StrCat("ask it about one of its pairs with `", verb.in_fleet, "`");
    return absl::UnimplementedError(
        absl::StrCat("a controller answers ", context.where, ", not an agent; ", there));
  }
  return absl::UnimplementedError(
      absl::StrCat("the ", Called(context), " does not know this request; is it older than zctl?",
                   context.controller ? "" : " (zctl version)"));
}

}  // namespace

std::string Called(const Context& context) { return context.controller ? "controller" : "agent"; }
std::string Whole(const Context& context) { return context.controller ? "fleet" : "pair"; }

absl::StatusOr<std::string> ChosenContext(const Context& context) {
  if (!context.context.empty()) {
    if (!IsBuiltIn(context.context) && !context.socket.empty()) {
      return absl::InvalidArgumentError("--socket and --context name two agents; keep one");
    }
    return context.context;
  }
  const std::string built_in = context.verb.OfFleet() ? kControllerContext : kLocalContext;
  if (!context.socket.empty()) return built_in;
  const char* environment = std::getenv("ZCTL_CONTEXT");
  if (environment != nullptr && *environment != '\0') return std::string(environment);
  ZC_ASSIGN_OR_RETURN(const std::string current, Contexts::OfUser().Current());
  // `context use local` is also the way back to no choice.
  return current == kLocalContext ? built_in : current;
}

absl::StatusOr<Channel> Reach(Context& context) {
  if (context.channel == nullptr) {
    ZC_ASSIGN_OR_RETURN(const std::string name, ChosenContext(context));
    context.controller =
        name == kControllerContext || (name != kLocalContext && context.controller);
    ZC_RETURN_IF_ERROR(IsBuiltIn(name) ? ReachLocal(context)
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
    const std::string where =
        context.verb.OfFleet() ? "`zctl fleet show PAIR` shows" : "`zctl status` shows";
    return absl::DeadlineExceededError(absl::StrCat("no end of it within ", Short(context.timeout),
                                                    "; it goes on in the agent (", where,
                                                    " where it stands, --timeout waits longer)"));
  }
  if (our_time_is_up) {
    return absl::UnavailableError(
        absl::StrCat("the ", Called(context), " ", context.where, " did not answer within ",
                     Short(context.timeout), " (--timeout waits longer; ", Journal(context), ")"));
  }
  if (code == absl::StatusCode::kUnavailable && context.controller && StillThere(context)) {
    return absl::UnavailableError(status.error_message());  // of whom it is to ask
  }
  if (code == absl::StatusCode::kUnavailable) {
    return absl::UnavailableError(absl::StrCat(
        "the ", Called(context), answered ? " went away before the end: " : " went away: ",
        status.error_message(), " (", Journal(context), ")"));
  }
  if (code == absl::StatusCode::kUnimplemented) return Unknown(context);
  if (code == absl::StatusCode::kCancelled) {
    return absl::UnavailableError(
        absl::StrCat("the ", Called(context), " gave the request up: ", status.error_message()));
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
