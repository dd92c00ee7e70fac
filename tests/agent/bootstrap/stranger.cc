// SPDX-License-Identifier: Apache-2.0
#include "tests/agent/bootstrap/stranger.h"

#include <arpa/inet.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "agent/bootstrap/bootstrap.h"
#include "common/check.h"
#include "common/status.h"

namespace zcluster::bootstrap {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* connection) const { SSL_free(connection); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

std::shared_ptr<grpc::experimental::CertificateProviderInterface> Provider(
    const tls::Credential& own) {
  return std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      std::vector<grpc::experimental::IdentityKeyCertPair>{{own.key, own.certificate}});
}

BIO* Reader(const std::string& pem) {
  return BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
}

int TakeHttp2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned,
              void*) {
  static constexpr unsigned char kHttp2[] = {'h', '2'};
  *out = kHttp2;
  *size = sizeof kHttp2;
  return SSL_TLSEXT_ERR_OK;
}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address, const tls::Credential& own) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Provider(own));
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel(absl::StrCat("ipv4:", address),
                                   grpc::experimental::TlsCredentials(options), arguments);
}

std::unique_ptr<SSL_CTX, Free> ServerContext(const tls::Credential& own) {
  std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_server_method()));
  const std::unique_ptr<BIO, Free> certificate_pem(Reader(own.certificate));
  const std::unique_ptr<BIO, Free> key_pem(Reader(own.key));
  const std::unique_ptr<X509, Free> certificate(
      PEM_read_bio_X509(certificate_pem.get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(key_pem.get(), nullptr, nullptr, nullptr));
  ZC_CHECK(SSL_CTX_use_certificate(context.get(), certificate.get()) == 1);
  ZC_CHECK(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  SSL_CTX_set_alpn_select_cb(context.get(), TakeHttp2, nullptr);
  return context;
}

}  // namespace

Stranger::Stranger(const std::string& address)
    : own_(*tls::MakeCredential()),
      channel_(OpenChannel(address, own_)),
      stub_(v1::BootstrapService::NewStub(channel_)) {}

grpc::Status Stranger::Say(const std::vector<v1::JoinRequest>& requests,
                           std::vector<v1::JoinReply>* replies) {
  grpc::ClientContext context;
  auto stream = stub_->Join(&context);
  for (const v1::JoinRequest& request : requests) stream->Write(request);
  stream->WritesDone();
  v1::JoinReply reply;
  while (stream->Read(&reply)) {
    if (replies != nullptr) replies->push_back(reply);
  }
  return stream->Finish();
}

v1::JoinRequest Stranger::Proof(const std::string& token, const std::string& node) const {
  v1::JoinRequest request;
  request.mutable_admission()->set_token_proof(
      token::ProofOf(token::Kind::kJoin, token::HashOf(ParseToken(token)->secret),
                     {.maker = node, .caller = own_.fingerprint}));
  return request;
}

Listener::Listener()
    : own_(*tls::MakeCredential()), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ZC_CHECK(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  ZC_CHECK(::listen(socket_.get(), 4) == 0);
  ZC_CHECK(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

Listener::~Listener() {
  ::shutdown(socket_.get(), SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
}

std::string Listener::address() const { return absl::StrCat("127.0.0.1:", port_); }

std::string Listener::Heard() {
  thread_.join();
  return heard_;
}

void Listener::Serve() {
  const auto context = ServerContext(own_);
  const UniqueFd fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const std::unique_ptr<SSL, Free> connection(SSL_new(context.get()));
  SSL_set_fd(connection.get(), fd.get());
  if (SSL_accept(connection.get()) != 1) {
    heard_ = "no handshake";
    return;
  }
  // Its first words are enough.
  char buffer[4096];
  const int n = SSL_read(connection.get(), buffer, sizeof buffer);
  if (n > 0) heard_.assign(buffer, static_cast<size_t>(n));
}

Relay::Relay(const std::string& node) : own_(*tls::MakeCredential()), to_node_(node) {
  grpc::experimental::TlsServerCredentialsOptions options(Provider(own_));
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  grpc::ServerBuilder builder;
  builder.RegisterService(this);
  builder.AddListeningPort("127.0.0.1:0", grpc::experimental::TlsServerCredentials(options),
                           &port_);
  server_ = builder.BuildAndStart();
  ZC_CHECK(server_ != nullptr);
}

Relay::~Relay() { server_->Shutdown(); }

std::string Relay::address() const { return absl::StrCat("127.0.0.1:", port_); }

grpc::Status Relay::Join(grpc::ServerContext*,
                         grpc::ServerReaderWriter<v1::JoinReply, v1::JoinRequest>* caller) {
  ++calls_;
  grpc::ClientContext context;
  auto node = to_node_.stub().Join(&context);
  v1::JoinRequest request;
  v1::JoinReply reply;
  while (caller->Read(&request) && node->Write(request) && node->Read(&reply)) caller->Write(reply);
  node->WritesDone();
  return node->Finish();
}

}  // namespace zcluster::bootstrap
