// SPDX-License-Identifier: Apache-2.0
#include "tests/agent/access/house.h"

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/peer/server.h"
#include "common/access/server.h"
#include "common/check.h"
#include "common/file.h"
#include "common/pki.h"
#include "tests/support/local_client.h"

namespace zcluster::access {
namespace {

const bool kOnlyTls13 = [] {
  tls::RequireTls13();
  return true;
}();

// Agrees to all that the peer says of the configuration. Its transport is all that guards it.
class FakeConfiguration : public v1::ConfigurationService::CallbackService {
  grpc::ServerUnaryReactor* Propose(grpc::CallbackServerContext* context, const v1::ProposeRequest*,
                                    v1::ProposeResponse*) override {
    return Agree(context);
  }
  grpc::ServerUnaryReactor* Commit(grpc::CallbackServerContext* context, const v1::CommitRequest*,
                                   v1::CommitResponse*) override {
    return Agree(context);
  }
  grpc::ServerUnaryReactor* Abandon(grpc::CallbackServerContext* context, const v1::AbandonRequest*,
                                    v1::AbandonResponse*) override {
    return Agree(context);
  }
  grpc::ServerUnaryReactor* Fetch(grpc::CallbackServerContext* context, const v1::FetchRequest*,
                                  v1::FetchResponse*) override {
    return Agree(context);
  }
  grpc::ServerUnaryReactor* Outcome(grpc::CallbackServerContext* context, const v1::OutcomeRequest*,
                                    v1::OutcomeResponse*) override {
    return Agree(context);
  }
  grpc::ServerUnaryReactor* Leave(grpc::CallbackServerContext* context, const v1::LeaveRequest*,
                                  v1::LeaveResponse*) override {
    return Agree(context);
  }
  static grpc::ServerUnaryReactor* Agree(grpc::CallbackServerContext* context) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class BelievesAll : public grpc::experimental::ExternalCertificateVerifier {
 public:
  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest*,
              std::function<void(grpc::Status)>, grpc::Status* verdict) override {
    *verdict = grpc::Status::OK;
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}
};

// Those of a stranger without a certificate.
std::shared_ptr<grpc::ChannelCredentials> NoCertificate() {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      grpc::experimental::ExternalCertificateVerifier::Create<BelievesAll>());
  return grpc::experimental::TlsCredentials(options);
}

peer::Options LinkOptions() {
  return {.pair = "lab",
          .node = "node2",
          .address = "127.0.0.1",
          .peer = "node1",  // which dials; we serve
          .peer_address = "127.0.0.1:1",
          .version = "test"};
}

api::Options ApiOptions() {
  api::Options options;
  options.pair = "lab";
  options.node_name = "node2";
  options.peer_name = "node1";
  return options;
}

}  // namespace

tls::OnRefused Refusals::Listener() {
  return [this](const std::string& reason) {
    absl::MutexLock lock(&mutex_);
    last_ = reason;
  };
}

std::string Refusals::Wait() {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(
                              +[](std::string* last) { return !last->empty(); }, &last_),
                          absl::Seconds(20));
  return last_;
}

House::House()
    : nowhere_(grpc::CreateChannel("ipv4:127.0.0.1:1", grpc::InsecureChannelCredentials())),
      socket(directory_.path() + "/agent.sock"),
      log(*AuditLog::Open({directory_.path() + "/audit.log"})),
      access(*log),
      api_(loop.loop(), ApiOptions(), nowhere_, access, *log, lifecycle_),
      brain_(loop.loop(), api_),
      command_(loop.loop(), {"node2", "node1", {}, {}}, nowhere_, access),
      conntrack_(loop.loop(), {}, nowhere_, access),
      config_sync_(loop.loop(), {}, nowhere_),
      link_(loop.loop(), LinkOptions(), nowhere_),
      configuration_(std::make_unique<FakeConfiguration>()) {
  access.SetPair("lab", "node1");
  const tls::Files own = Issue(tls::NodeUri("lab", "node2"));

  std::vector<grpc::Service*> for_operators = {&command_.local_service(),
                                               &conntrack_.flow_service()};
  for (grpc::Service* service : api_.local_services()) for_operators.push_back(service);
  operators_server_ = *StartServer(
      access, for_operators,
      {"127.0.0.1:0",
       tls::ServerCredentials(own, access.ExpectOperators(), operator_refusals.Listener())},
      &operators_port);
  std::vector<grpc::Service*> for_peer = {
      &link_.service(),        &conntrack_.service(),    &conntrack_.comparison_service(),
      &config_sync_.service(), &command_.peer_service(), configuration_.get()};
  for (grpc::Service* service : api_.peer_services()) for_peer.push_back(service);
  peer_server_ = *peer::StartServer(
      "127.0.0.1:0",
      tls::ServerCredentials(own, {tls::NodeUri("lab", "node1")}, peer_refusals.Listener()),
      for_peer, &peer_port);
  listener_ = *LocalListener::Listen(loop.loop(), access.local_callers(), socket, test::kGroup);
  ::chmod(directory_.path().c_str(), 0755);  // for users of tests; the socket's mode counts
  loop.Do([this] {
    ZC_CHECK(api_.Start(brain_).ok() && command_.Start(brain_).ok() && link_.Start(brain_).ok());
    listener_->Serve(operators_server_.get());
  });
}

House::~House() {
  loop.Do([this] {
    listener_.reset();
    link_.Stop();
    command_.Stop();
    conntrack_.Stop();
    api_.Stop();
  });
  operators_server_->Shutdown(std::chrono::system_clock::now());
  peer_server_->Shutdown(std::chrono::system_clock::now());
}

tls::Files House::Issue(const std::string& uri) const {
  static int number = 0;
  return lab_.Issue(absl::StrCat("lab-", ++number), {.uri = uri});
}

tls::Files House::IssueElsewhere(const std::string& uri) const {
  static int number = 0;
  return elsewhere_.Issue(absl::StrCat("elsewhere-", ++number), {.uri = uri});
}

Operator House::Admitted(const std::string& name, Right right, const tls::Files& files) {
  return {name, right, *pki::CertificateFingerprint(*ReadFile(files.certificate))};
}

std::shared_ptr<grpc::Channel> House::Dial(int port, const tls::Files* files) const {
  static int number = 0;
  grpc::ChannelArguments alone;  // channels of equal arguments would share a connection
  alone.SetInt("zcluster.test.channel", ++number);
  tls::Expected anybody;
  anybody.accept = [](const tls::Identity&) { return absl::OkStatus(); };
  const tls::Files believes_lab{files == nullptr ? "" : files->certificate,
                                files == nullptr ? "" : files->key,
                                directory_.path() + "/lab-ca.crt"};
  return grpc::CreateCustomChannel(
      absl::StrCat("ipv4:127.0.0.1:", port),
      files == nullptr ? NoCertificate()
                       : tls::ClientCredentials(believes_lab, anybody, [](const std::string&) {}),
      alone);
}

std::vector<std::string> House::Audit(size_t n) {
  std::vector<std::string> lines;
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (lines.size() < n && absl::Now() < deadline) {
    absl::Notification read;
    lines.clear();
    log->Newest(n, [&](absl::StatusOr<v1::AuditResponse> response) {
      for (const v1::AuditEntry& entry : response->entries())
        lines.push_back(absl::StrCat(entry.who(), " | ", entry.what(), " | ", entry.result()));
      read.Notify();
    });
    read.WaitForNotification();
  }
  return lines;
}

}  // namespace zcluster::access
