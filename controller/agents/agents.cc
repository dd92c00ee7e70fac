// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/agents.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/service_type.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/rate.h"
#include "common/status.h"
#include "common/strings.h"
#include "controller/agents/message_check.h"
#include "controller/agents/refusals.h"
#include "controller/agents/requests.h"
#include "controller/agents/server.h"
#include "controller/agents/session.h"
#include "controller/agents/stream.h"

namespace zcluster::controller {
namespace {

// Streams beyond the agents that are in: those that have not said hello yet, and those that end.
constexpr size_t kNewcomers = 2000;
// A burst may be so many times the messages of a second.
constexpr double kBurst = 10;
// So many bytes count as a message: a flood of large ones costs as much time as one of small ones.
constexpr size_t kBytesOfAMessage = 16 << 10;
// A request of which nothing came for so long, on a stream of which nothing is taken, has failed.
constexpr absl::Duration kUnheard = absl::Seconds(10);
// How often streams are looked at that do not take what they are sent.
constexpr absl::Duration kLook = absl::Seconds(1);
// What was sent before the end has so long to be taken, all agents together.
constexpr absl::Duration kParting = absl::Seconds(1);

grpc::ByteBuffer Serialise(const v1::ControllerMessage& message) {
  grpc::ByteBuffer buffer;
  bool own = false;
  (void)grpc::SerializationTraits<v1::ControllerMessage>::Serialize(message, &buffer, &own);
  return buffer;
}

class LinkServer final : public Agents, public StreamListener {
 public:
  LinkServer(Loop& loop, Options options, AgentListener& listener);
  ~LinkServer() override;
  absl::Status Listen();

  int port() const override { return port_; }
  size_t connected() const override { return agents_.size(); }
  bool IsConnected(const AgentId& agent) const override { return agents_.contains(agent); }
  void Send(const AgentId& agent, v1::ControllerMessage message) override;
  void SendToAll(const v1::ControllerMessage& message) override;
  void Ask(const AgentId& agent, v1::FleetRequest request, Progress progress) override;
  void Disconnect(const AgentId& agent, const absl::Status& why) override;
  Counters counters() const override;

  void OnOpened(std::shared_ptr<AgentStream> stream) override;
  void OnHeard(AgentStream& stream, v1::AgentMessage message, size_t bytes) override;
  void OnBroken(AgentStream& stream, const absl::Status& why) override;

 private:
  using SessionPtr = std::shared_ptr<Session>;

  void LetIn(const SessionPtr& session, const v1::AgentHello& hello);
  absl::StatusOr<v1::Welcome> Judge(const Session& session, const v1::AgentHello& hello);
  void Hear(const SessionPtr& session, v1::AgentMessage message);
  void ReadOn(const SessionPtr& session, size_t bytes);
  bool SendTo(const SessionPtr& session, const grpc::ByteBuffer& message);
  void Refuse(const SessionPtr& session, const absl::Status& why);
  void EndStuck(const SessionPtr& session);
  void Remove(const SessionPtr& session, const absl::Status& why);
  void LookForStuck();

  Loop& loop_;
  const Options options_;
  AgentListener& listener_;
  const std::shared_ptr<Refusals> handshakes_ = std::make_shared<Refusals>("handshake_refused");
  Refusals hellos_{"agent_refused"};
  const std::shared_ptr<StreamGate> gate_;
  const std::unique_ptr<grpc::Service> service_;
  std::map<const AgentStream*, SessionPtr> sessions_;  // all
  std::map<AgentId, SessionPtr> newcomers_;            // without hello: the newest of each agent
  std::map<AgentId, SessionPtr> agents_;               // that were let in
  uint64_t last_request_ = 0;
  Counters counters_;
  Loop::Registration look_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

LinkServer::LinkServer(Loop& loop, Options options, AgentListener& listener)
    : loop_(loop),
      options_(std::move(options)),
      listener_(listener),
      gate_(std::make_shared<StreamGate>(loop, options_.fleet, *this,
                                         options_.max_agents + kNewcomers)),
      service_(MakeLinkService(gate_)) {}

absl::Status LinkServer::Listen() {
  const LinkPort port{options_.listen, options_.fleet, options_.files,
                      [refusals = handshakes_](const std::string& reason) {
                        refusals->Note("", reason, Loop::Now());
                      }};
  ZC_ASSIGN_OR_RETURN(server_, StartLinkServer(*service_, port, port_));
  look_ = loop_.Every(std::min(kLook, options_.max_wait / 4), [this] { LookForStuck(); });
  return absl::OkStatus();
}

LinkServer::~LinkServer() {
  gate_->Shut();
  const absl::Status why = absl::UnavailableError("the controller is stopping");
  const auto sessions = std::exchange(sessions_, {});
  agents_.clear();
  for (const auto& [stream, session] : sessions) {
    session->stream->End(why);
    session->requests.EndAll(why);
  }
  // Those that do not take what was sent to them are cut off then.
  if (server_ != nullptr) server_->Shutdown(absl::ToChronoTime(absl::Now() + kParting));
}

void LinkServer::OnOpened(std::shared_ptr<AgentStream> stream) {
  auto session = std::make_shared<Session>(std::move(stream), options_.messages_per_second,
                                           options_.messages_per_second * kBurst);
  const AgentId& id = session->agent().id;
  // One that opens streams and says nothing holds one at a time.
  if (const auto older = newcomers_.find(id); older != newcomers_.end()) {
    const SessionPtr before = older->second;
    Refuse(before, absl::AbortedError("a newer stream of this agent has come"));
  }
  sessions_[session->stream.get()] = session;
  newcomers_[id] = session;
  session->timer = loop_.After(options_.patience, [this, weak = std::weak_ptr<Session>(session)] {
    const SessionPtr silent = weak.lock();
    if (silent == nullptr) return;
    Refuse(silent, absl::DeadlineExceededError(absl::StrCat(
                       "no hello came within ", absl::FormatDuration(options_.patience))));
  });
  session->stream->Read();
}

void LinkServer::OnHeard(AgentStream& stream, v1::AgentMessage message, size_t bytes) {
  const auto found = sessions_.find(&stream);
  if (found == sessions_.end()) return;
  const SessionPtr session = found->second;
  ++counters_.messages;
  if (session->in) {
    Hear(session, std::move(message));
  } else if (message.has_hello()) {
    LetIn(session, message.hello());
  } else {
    Refuse(session, absl::InvalidArgumentError("the first message must be AgentHello"));
  }
  ReadOn(session, bytes);
}

void LinkServer::OnBroken(AgentStream& stream, const absl::Status& why) {
  const auto found = sessions_.find(&stream);
  if (found == sessions_.end()) return;
  const SessionPtr session = found->second;
  if (absl::IsInvalidArgument(why)) {
    Refuse(session, why);
  } else {
    Remove(session, why);
  }
}

absl::StatusOr<v1::Welcome> LinkServer::Judge(const Session& session, const v1::AgentHello& hello) {
  const AgentId& id = session.agent().id;
  if (hello.pair() != id.pair || hello.node() != id.node) {
    return absl::PermissionDeniedError(absl::StrCat("the hello is of ", hello.pair(), "/",
                                                    hello.node(), ", the certificate of ",
                                                    id.Name(), "; enrol the node again"));
  }
  if (agents_.size() >= options_.max_agents) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the fleet is full: ", agents_.size(), " agents are connected"));
  }
  return listener_.OnHello(session.agent(), hello);
}

void LinkServer::LetIn(const SessionPtr& session, const v1::AgentHello& hello) {
  const AgentId id = session->agent().id;
  session->timer.reset();
  if (const auto before = agents_.find(id); before != agents_.end()) {
    const SessionPtr older = before->second;
    Remove(older, absl::AbortedError(
                      "another stream of this agent has taken its place (does a copy of this "
                      "node's state run elsewhere?)"));
  }
  absl::StatusOr<v1::Welcome> welcome = Judge(*session, hello);
  if (!welcome.ok()) return Refuse(session, welcome.status());
  if (!sessions_.contains(session->stream.get())) return;  // the listener has ended it
  newcomers_.erase(id);
  agents_[id] = session;
  session->in = true;
  ++counters_.accepted;
  v1::ControllerMessage message;
  *message.mutable_welcome() = *std::move(welcome);
  SendTo(session, Serialise(message));
}

void LinkServer::Hear(const SessionPtr& session, v1::AgentMessage message) {
  const AgentId& id = session->agent().id;
  switch (message.kind_case()) {
    case v1::AgentMessage::kHello:
      return Refuse(session, absl::InvalidArgumentError("a second AgentHello"));
    case v1::AgentMessage::kReport:
      return listener_.OnReport(id, std::move(*message.mutable_report()));
    case v1::AgentMessage::kEvents:
      return listener_.OnEvents(id, std::move(*message.mutable_events()));
    case v1::AgentMessage::kProgress:
      return session->requests.Tell(message.progress());
    case v1::AgentMessage::kFlows:
      return listener_.OnFlows(id, std::move(*message.mutable_flows()));
    case v1::AgentMessage::kCertificateRequest:
      return listener_.OnCertificateRequest(id, std::move(*message.mutable_certificate_request()));
    case v1::AgentMessage::KIND_NOT_SET:
      return;  // of a newer agent
  }
}

// What was heard is paid for before more is read: an agent that says more than it may waits, and
// its messages with it, in its own memory.
void LinkServer::ReadOn(const SessionPtr& session, size_t bytes) {
  if (!sessions_.contains(session->stream.get())) return;
  const double cost = 1 + static_cast<double>(bytes / kBytesOfAMessage);
  const absl::Time now = Loop::Now();
  if (session->rate.Take(now, cost)) return session->stream->Read();
  ++counters_.throttled;
  session->pause =
      loop_.After(session->rate.Until(now, cost), [weak = std::weak_ptr<Session>(session), cost] {
        const SessionPtr paused = weak.lock();
        if (paused == nullptr) return;
        paused->rate.Take(Loop::Now(), cost);
        paused->stream->Read();
      });
}

bool LinkServer::SendTo(const SessionPtr& session, const grpc::ByteBuffer& message) {
  if (session->stream->Send(message, options_.max_waiting)) return true;
  EndStuck(session);
  return false;
}

void LinkServer::Send(const AgentId& agent, v1::ControllerMessage message) {
  const auto found = agents_.find(agent);
  if (found == agents_.end()) return;
  const SessionPtr session = found->second;
  SendTo(session, Serialise(message));
}

void LinkServer::SendToAll(const v1::ControllerMessage& message) {
  const grpc::ByteBuffer buffer = Serialise(message);  // once: its bytes are shared
  std::vector<SessionPtr> all;
  all.reserve(agents_.size());
  for (const auto& [id, session] : agents_) all.push_back(session);
  for (const SessionPtr& session : all) {
    if (sessions_.contains(session->stream.get())) SendTo(session, buffer);
  }
}

void LinkServer::Ask(const AgentId& agent, v1::FleetRequest request, Progress progress) {
  const auto refuse = [&](const absl::Status& why) { progress(Requests::EndOf(0, why)); };
  const auto found = agents_.find(agent);
  if (found == agents_.end()) {
    return refuse(absl::UnavailableError(absl::StrCat(agent.Name(), " is not connected")));
  }
  const SessionPtr session = found->second;
  if (session->requests.full()) {
    return refuse(absl::ResourceExhaustedError(
        absl::StrCat(agent.Name(), " has ", Requests::kMost, " requests under way; try later")));
  }
  request.set_id(++last_request_);
  v1::ControllerMessage message;
  *message.mutable_request() = std::move(request);
  const grpc::ByteBuffer buffer = Serialise(message);
  if (buffer.Length() > kMaxMessageBytes) {
    return refuse(absl::InvalidArgumentError(absl::StrCat("the request has ", buffer.Length(),
                                                          " bytes; the link to agents takes ",
                                                          kMaxMessageBytes)));
  }
  session->requests.Add(last_request_, std::move(progress), Loop::Now());
  SendTo(session, buffer);
}

void LinkServer::Disconnect(const AgentId& agent, const absl::Status& why) {
  const auto found = agents_.find(agent);
  if (found == agents_.end()) return;
  const SessionPtr session = found->second;
  Remove(session, why);
}

// It has said what it may not, or is not wanted.
void LinkServer::Refuse(const SessionPtr& session, const absl::Status& why) {
  const ProvenAgent& agent = session->agent();
  hellos_.Note(absl::StrCat(agent.id.Name(), " at ", agent.address), why.message(), Loop::Now());
  Remove(session, why);
}

void LinkServer::EndStuck(const SessionPtr& session) {
  ++counters_.stuck;
  const absl::Status why = absl::UnavailableError("the agent does not take what it is sent");
  log::Warning("agent_stuck", {{"agent", session->agent().id.Name()}});
  session->stream->Cut(why);
  Remove(session, why);
}

// The one place where a session ends; whoever hears of it may come back in here.
void LinkServer::Remove(const SessionPtr& session, const absl::Status& why) {
  if (sessions_.erase(session->stream.get()) == 0) return;
  const AgentId id = session->agent().id;
  session->timer.reset();
  session->pause.reset();
  session->stream->End(why);
  if (!session->in) {
    const auto found = newcomers_.find(id);
    if (found != newcomers_.end() && found->second == session) newcomers_.erase(found);
    return;
  }
  agents_.erase(id);
  session->requests.EndAll(absl::UnavailableError(absl::StrCat(
      "the connection to ", id.Name(), " ended (", why.message(), "); it may go on there")));
  listener_.OnGone(id, std::string(why.message()));
}

void LinkServer::LookForStuck() {
  const absl::Time now = Loop::Now();
  std::vector<SessionPtr> waiting;
  for (const auto& [stream, session] : sessions_) {
    if (stream->WaitingSince() < now) waiting.push_back(session);
  }
  for (const SessionPtr& session : waiting) {
    const absl::Duration waited = now - session->stream->WaitingSince();
    if (waited > options_.max_wait) {
      EndStuck(session);
    } else if (waited > kUnheard) {
      session->requests.EndUnheard(
          now - kUnheard,
          absl::DeadlineExceededError(
              absl::StrCat(session->agent().id.Name(), " has taken nothing for ",
                           absl::FormatDuration(kUnheard), "; it may still do what it was asked")));
    }
  }
}

Agents::Counters LinkServer::counters() const {
  Counters counters = counters_;
  counters.refused = handshakes_->count() + hellos_.count();
  return counters;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Agents>> Agents::Start(Loop& loop, Options options,
                                                      AgentListener& listener) {
  auto server = std::make_unique<LinkServer>(loop, std::move(options), listener);
  ZC_RETURN_IF_ERROR(server->Listen());
  return server;
}

}  // namespace zcluster::controller
