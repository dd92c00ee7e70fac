// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/session.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/controller_link/limits.h"
#include "agent/controller_link/report.h"
#include "agent/wire/wire.h"
#include "common/access/right_proto.h"
#include "common/grpc_address.h"
#include "common/log.h"
#include "common/protocol.h"

namespace zcluster::controller_link {
namespace {

bool Understands(uint32_t protocol) {
  return protocol + 1 >= kFleetProtocol && protocol <= kFleetProtocol + 1;
}

}  // namespace

Session::Session(const Context& context, const FleetName& name, std::string address,
                 const std::shared_ptr<grpc::Channel>& channel, SessionListener& listener)
    : context_(context),
      name_(name),
      address_(std::move(address)),
      listener_(listener),
      reports_(
          context.loop, context.around.status,
          [this](v1::GetStatusResponse status) {
            outbox_.AddReport(MakeReport(std::move(status), context_.options.pair, name_.pair));
            Advance();
          }),
      flows_(context.loop, context.inlet, context.around.node, [this](v1::FlowsSeen seen) {
        outbox_.AddFlows(std::move(seen));
        Advance();
      }) {
  if (context_.around.journal != nullptr) {
    feed_.emplace(context_.loop, *context_.around.journal, [this](v1::EventBatch events) {
      outbox_.AddEvents(std::move(events));
      Advance();
    });
  }
  stream_ = Stream::Dial(context_.inlet, channel, *this);
  patience_ = context_.loop.After(context_.options.patience, [this] {
    Fail(absl::UnavailableError(absl::StrCat("no answer from ", address_, " within ",
                                             absl::FormatDuration(context_.options.patience),
                                             " (is zcontroller hanging there?)")));
  });
  Greet();
  stream_->Read();
}

Session::~Session() {
  *alive_ = false;
  stream_.reset();
  outbox_.Abandon();
}

void Session::Greet() {
  v1::AgentMessage message;
  v1::AgentHello& hello = *message.mutable_hello();
  hello.set_pair(name_.pair);
  hello.set_node(name_.node);
  hello.set_version(context_.options.version);
  hello.set_protocol(kFleetProtocol);
  hello.set_allow(access::ToProto(context_.options.allow));
  if (const EventJournal* journal = context_.around.journal; journal != nullptr) {
    hello.set_journal(journal->id());
    hello.set_first_event(journal->first());
    hello.set_last_event(journal->last());
  }
  outbox_.AddUrgent(std::move(message));
  Advance();
}

void Session::Ask(v1::CertificateRequest request) {
  v1::AgentMessage message;
  *message.mutable_certificate_request() = std::move(request);
  outbox_.AddUrgent(std::move(message));
  Advance();
}

void Session::OnHeard(v1::ControllerMessage message) {
  const absl::Duration wait = limit_.Take(Loop::Now());
  Receive(std::move(message));
  ReadAgain(wait);
}

void Session::ReadAgain(absl::Duration wait) {
  if (stream_ == nullptr) return;
  if (outbox_.Full() && !ending_) {
    paused_ = true;
  } else if (wait > absl::ZeroDuration()) {
    pause_ = context_.loop.After(wait, [this] { ReadAgain(absl::ZeroDuration()); });
  } else {
    stream_->Read();
  }
}

void Session::OnWritten() {
  writing_ = false;
  outbox_.Written();
  Advance();
  if (paused_ && !outbox_.Full()) {
    paused_ = false;
    ReadAgain(absl::ZeroDuration());
  }
}

void Session::OnWriteFailed() {
  ending_ = true;
  outbox_.Abandon();
  if (std::exchange(paused_, false)) ReadAgain(absl::ZeroDuration());
}

void Session::Advance() {
  if (writing_ || ending_ || stream_ == nullptr) return;
  const absl::optional<v1::AgentMessage> next = outbox_.Next();
  if (!next) return;
  writing_ = true;
  stream_->Write(*next);
}

void Session::Receive(v1::ControllerMessage message) {
  if (!welcomed()) {
    if (message.has_welcome()) return Welcome(message.welcome());
    return Fail(absl::FailedPreconditionError(
        absl::StrCat(address_, " said something before its Welcome (is it a zcontroller?)")));
  }
  switch (message.kind_case()) {
    case v1::ControllerMessage::kEventsTaken:
      if (feed_) feed_->Taken(message.events_taken().number());
      return;
    case v1::ControllerMessage::kRequest:
      return Carry(message.request());
    case v1::ControllerMessage::kFlows:
      return flows_.Subscribe(message.flows().max_per_second(),
                              {.name = absl::StrCat("controller ", controller_),
                               .right = access::Right::kViewer,
                               .from = absl::StrCat("controller ", HostOf(address_))});
    case v1::ControllerMessage::kCertificate:
      return listener_.OnCertificate(std::move(*message.mutable_certificate()));
    case v1::ControllerMessage::kPacing:
      return listener_.OnPacing(message.pacing());
    case v1::ControllerMessage::kWelcome:      // a second one says nothing new
    case v1::ControllerMessage::KIND_NOT_SET:  // a newer controller's
      return;
  }
}

void Session::Welcome(const v1::Welcome& welcome) {
  absl::StatusOr<std::string> controller = ControllerName(name_.fleet, stream_->PeerUri());
  if (!controller.ok()) return Fail(controller.status());
  if (!Understands(welcome.protocol())) {
    return Fail(absl::FailedPreconditionError(
        absl::StrCat(address_, " speaks version ", welcome.protocol(), " of the protocol, we ",
                     kFleetProtocol, "; bring both to the same release")));
  }
  patience_.reset();
  controller_ = *std::move(controller);
  listener_.OnPacing(welcome.pacing());
  reports_.Begin(welcome.has_report_interval() ? wire::FromProto(welcome.report_interval())
                                               : Reports::kDefault);
  if (feed_) feed_->Begin(welcome.events_taken());
  listener_.OnWelcome();
}

void Session::Carry(const v1::FleetRequest& request) {
  // One that comes twice is not carried out twice.
  if (request.id() <= last_request_) {
    if (!std::exchange(told_of_repeats_, true)) {
      log::Warning("controller_repeats_requests",
                   {{"controller", controller_}, {"request", absl::StrCat(request.id())}});
    }
    return;
  }
  last_request_ = request.id();
  context_.requests.Begin(
      request, {controller_, HostOf(address_)},
      [this, alive = alive_](v1::RequestProgress progress, std::function<void()> next) {
        if (!*alive || stream_ == nullptr) {
          if (next != nullptr) next();
          return;
        }
        outbox_.AddProgress(std::move(progress), std::move(next));
        Advance();
      });
}

void Session::OnEnded(const grpc::Status& status) { Over(WhyEnded(status, address_)); }

void Session::Over(Ended why) {
  if (stream_ == nullptr) return;
  stream_.reset();
  patience_.reset();
  pause_.reset();
  outbox_.Abandon();
  // Later: whoever called us still works with us.
  context_.inlet->Post([this, alive = alive_, why = std::move(why)] {
    if (*alive) listener_.OnSessionEnded(why);
  });
}

}  // namespace zcluster::controller_link
