// SPDX-License-Identifier: Apache-2.0
#include "tests/agent/controller_link/fleet.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/identity.h"
#include "common/pki.h"
#include "common/protocol.h"
#include "common/tls.h"
#include "common/token.h"

namespace zcluster::controller_link {
namespace {

const bool kOnlyTls13 = [] {
  tls::RequireTls13();
  return true;
}();

constexpr char kSecret[] = "a secret of 20 bytes";
constexpr char kOtherSecret[] = "another one of twenty";

std::string UriIn(const grpc::ServerContextBase& context) {
  const auto uris = context.auth_context()->FindPropertyValues("peer_uri");
  return uris.size() == 1 ? std::string(uris[0].data(), uris[0].size()) : "";
}

std::string KeyIn(const grpc::ServerContextBase& context) {
  const auto shown = context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (shown.size() != 1) return "";
  return *pki::CertificateFingerprint(absl::string_view(shown[0].data(), shown[0].size()));
}

grpc::Status Unauthenticated(const std::string& why) {
  return {grpc::StatusCode::UNAUTHENTICATED, why};
}

}  // namespace

Served::Served(std::string peer_uri, bool reads) : peer_uri_(std::move(peer_uri)) {
  if (reads) StartRead(&reading_);
}

void Served::Send(v1::ControllerMessage message) {
  absl::MutexLock lock(&mutex_);
  waiting_.push_back(std::move(message));
  Advance();
}

void Served::Welcome(uint64_t events_taken, absl::Duration report_interval) {
  v1::ControllerMessage message;
  v1::Welcome& welcome = *message.mutable_welcome();
  welcome.set_controller("whatever it says");
  welcome.set_protocol(kFleetProtocol);
  welcome.set_events_taken(events_taken);
  welcome.mutable_report_interval()->set_seconds(absl::ToInt64Seconds(report_interval));
  // Quick enough for a test.
  welcome.mutable_pacing()->mutable_reconnect_after();
  welcome.mutable_pacing()->mutable_reconnect_before()->set_nanos(200'000'000);
  Send(std::move(message));
}

void Served::Taken(uint64_t number) {
  v1::ControllerMessage message;
  message.mutable_events_taken()->set_number(number);
  Send(std::move(message));
}

void Served::Ask(v1::FleetRequest request) {
  v1::ControllerMessage message;
  *message.mutable_request() = std::move(request);
  Send(std::move(message));
}

void Served::End(const grpc::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (!end_) end_ = status;
  waiting_.clear();
  Advance();
}

void Served::Advance() {
  if (under_way_ || finished_) return;
  if (!waiting_.empty()) {
    writing_ = std::move(waiting_.front());
    waiting_.pop_front();
    under_way_ = true;
    StartWrite(&writing_);
  } else if (end_) {
    finished_ = true;
    Finish(*end_);
  }
}

absl::optional<v1::AgentMessage> Served::Await(
    const std::function<bool(const v1::AgentMessage&)>& wanted, absl::Duration patience) {
  // Without effects: Abseil asks it as often as it likes, on any thread.
  auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return std::any_of(heard_.begin(), heard_.end(), wanted);
  };
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithTimeout(absl::Condition(&there), patience)) return absl::nullopt;
  const auto one = std::find_if(heard_.begin(), heard_.end(), wanted);
  v1::AgentMessage found = std::move(*one);
  heard_.erase(one);
  return found;
}

absl::optional<v1::AgentMessage> Served::Await(v1::AgentMessage::KindCase kind,
                                               absl::Duration patience) {
  return Await([kind](const v1::AgentMessage& m) { return m.kind_case() == kind; }, patience);
}

std::vector<v1::RequestProgress> Served::AwaitRequest(uint64_t id) {
  std::vector<v1::RequestProgress> all;
  for (;;) {
    const auto message = Await(
        [id](const v1::AgentMessage& m) { return m.has_progress() && m.progress().id() == id; });
    if (!message) return all;
    all.push_back(message->progress());
    if (all.back().has_end()) return all;
  }
}

size_t Served::Count(v1::AgentMessage::KindCase kind) const {
  absl::MutexLock lock(&mutex_);
  size_t count = 0;
  for (const v1::AgentMessage& message : heard_) count += message.kind_case() == kind ? 1U : 0U;
  return count;
}

size_t Served::unsent() const {
  absl::MutexLock lock(&mutex_);
  return waiting_.size();
}

void Served::ReadOn() { StartRead(&reading_); }

bool Served::AwaitEnd() {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&gone_), kPatience);
}

void Served::OnReadDone(bool ok) {
  if (!ok) return End(grpc::Status::OK);
  {
    absl::MutexLock lock(&mutex_);
    heard_.push_back(std::move(reading_));
  }
  reading_.Clear();
  StartRead(&reading_);
}

void Served::OnWriteDone(bool) {
  absl::MutexLock lock(&mutex_);
  under_way_ = false;
  Advance();
}

void Served::OnCancel() { End(grpc::Status::CANCELLED); }

void Served::OnDone() {
  const std::shared_ptr<Served> last = std::move(self);
  absl::MutexLock lock(&mutex_);
  gone_ = true;
}

Fleet::Fleet(std::string name)
    : name_(std::move(name)), ca_key_(*pki::MakeKey()), ca_(*pki::MakeCa(ca_key_, name_)) {
  enrolment_key_ = *tls::MakeCredential();
  identity::Identity own{.certificate = "", .key = *pki::MakeKey(), .ca = ca_, .ca_key = ""};
  const std::string uri = tls::ControllerUri(name_, "ctl1");
  own.certificate = Sign(*pki::MakeRequest(own.key, uri), uri, absl::Hours(24));
  ZC_CHECK(identity::Install(directory_.path() + "/tls", own).ok());
  tls::Expected agents;
  agents.accept = [](const tls::Identity&) { return absl::OkStatus(); };
  grpc::ServerBuilder for_agents;
  for_agents.AddListeningPort(
      "127.0.0.1:0",
      tls::ServerCredentials(identity::FilesIn(directory_.path() + "/tls"), agents, nullptr),
      &agents_port_);
  for_agents.RegisterService(static_cast<v1::FleetLinkService::CallbackService*>(this));
  agents_ = for_agents.BuildAndStart();
  grpc::ServerBuilder for_nodes;
  for_nodes.AddListeningPort("127.0.0.1:0", tls::KeyedServerCredentials(enrolment_key_),
                             &enrolment_port_);
  for_nodes.RegisterService(static_cast<v1::EnrolmentService::CallbackService*>(this));
  enrolment_server_ = for_nodes.BuildAndStart();
  ZC_CHECK(agents_port_ > 0 && enrolment_port_ > 0);
}

Fleet::~Fleet() {
  agents_->Shutdown(std::chrono::system_clock::now());
  enrolment_server_->Shutdown(std::chrono::system_clock::now());
}

std::string Fleet::address() const { return absl::StrCat("127.0.0.1:", agents_port_); }
std::string Fleet::enrolment() const { return absl::StrCat("127.0.0.1:", enrolment_port_); }

std::string Fleet::Token() const {
  return token::Format(token::Kind::kEnrolment, enrolment_key_.fingerprint, kSecret);
}

std::string Fleet::WrongToken() const {
  return token::Format(token::Kind::kEnrolment, enrolment_key_.fingerprint,
                       std::string(kOtherSecret, token::kSecretBytes));
}

void Fleet::SetTwist(Twist twist) {
  absl::MutexLock lock(&mutex_);
  twist_ = std::move(twist);
}

int Fleet::enrol_calls() const {
  absl::MutexLock lock(&mutex_);
  return enrol_calls_;
}

v1::EnrolRequest Fleet::last_request() const {
  absl::MutexLock lock(&mutex_);
  return last_request_;
}

std::string Fleet::last_key() const {
  absl::MutexLock lock(&mutex_);
  return last_key_;
}

std::string Fleet::Sign(const std::string& request, const std::string& uri,
                        absl::Duration lifetime) const {
  return *pki::Sign(request, ca_, ca_key_, {uri, lifetime});
}

void Fleet::SetLifetime(absl::Duration lifetime) {
  absl::MutexLock lock(&mutex_);
  lifetime_ = lifetime;
}

void Fleet::Hang() {
  absl::MutexLock lock(&mutex_);
  hangs_ = true;
}

void Fleet::Refuse(const grpc::Status& status) {
  absl::MutexLock lock(&mutex_);
  refusal_ = status;
}

std::shared_ptr<Served> Fleet::AwaitStream(absl::Duration patience) {
  auto any = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !waiting_.empty(); };
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithTimeout(absl::Condition(&any), patience)) return nullptr;
  std::shared_ptr<Served> next = std::move(waiting_.front());
  waiting_.pop_front();
  return next;
}

std::shared_ptr<Served> Fleet::AwaitAgent(uint64_t events_taken) {
  std::shared_ptr<Served> next = AwaitStream();
  if (next == nullptr || !next->Await(v1::AgentMessage::kHello)) return nullptr;
  next->Welcome(events_taken);
  return next;
}

int Fleet::streams() const {
  absl::MutexLock lock(&mutex_);
  return streams_;
}

grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage>* Fleet::Connect(
    grpc::CallbackServerContext* context) {
  absl::MutexLock lock(&mutex_);
  ++streams_;
  auto served = std::make_shared<Served>(UriIn(*context), !hangs_);
  served->self = served;
  all_.push_back(served);
  if (!refusal_.ok()) {
    served->End(refusal_);
  } else {
    waiting_.push_back(served);
  }
  return served.get();
}

grpc::Status Fleet::LetIn(const v1::EnrolRequest& request, const std::string& key,
                          v1::EnrolResponse& response) {
  const std::string proof = token::ProofOf(token::Kind::kEnrolment, token::HashOf(kSecret),
                                           {enrolment_key_.fingerprint, key});
  if (!token::SameProof(proof, request.token_proof()))
    return Unauthenticated("the token is wrong, or of another session");
  if (*pki::RequestFingerprint(request.request()) != key)
    return Unauthenticated("the request is for another key than the session's");
  if (!pki::VerifyText(request.pair_certificate(), token::MemberText(proof),
                       request.pair_signature())
           .ok()) {
    return {grpc::StatusCode::PERMISSION_DENIED, "the node does not prove to be of its pair"};
  }
  Twist twist;
  absl::Duration lifetime;
  {
    absl::MutexLock lock(&mutex_);
    twist = twist_;
    lifetime = lifetime_;
  }
  response.set_ca_certificate(ca_);
  response.set_fleet(name_);
  response.set_pair(request.pair());
  response.set_certificate(
      Sign(request.request(), tls::AgentUri(name_, request.pair(), request.node()), lifetime));
  return twist == nullptr ? grpc::Status::OK : twist(request, response);
}

grpc::ServerUnaryReactor* Fleet::Enrol(grpc::CallbackServerContext* context,
                                       const v1::EnrolRequest* request,
                                       v1::EnrolResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string key = KeyIn(*context);
  const grpc::Status status = LetIn(*request, key, *response);
  {
    absl::MutexLock lock(&mutex_);
    ++enrol_calls_;
    last_request_ = *request;
    last_key_ = key;
  }
  reactor->Finish(status);
  return reactor;
}

}  // namespace zcluster::controller_link
