// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tls_probe.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <memory>

#include "common/check.h"
#include "common/unique_fd.h"

namespace zcluster::test {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* connection) const { SSL_free(connection); }
};

UniqueFd Connect(int port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ZC_CHECK(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
  return fd;
}

}  // namespace

std::string ProbeTls(int port, TlsVersion highest, const tls::Files* files) {
  std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context.get(),
                                highest == TlsVersion::k12 ? TLS1_2_VERSION : TLS1_3_VERSION);
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), kHttp2, sizeof(kHttp2));
  if (files != nullptr) {
    ZC_CHECK(SSL_CTX_use_certificate_chain_file(context.get(), files->certificate.c_str()) == 1);
    ZC_CHECK(SSL_CTX_use_PrivateKey_file(context.get(), files->key.c_str(), SSL_FILETYPE_PEM) == 1);
  }
  const UniqueFd fd = Connect(port);
  std::unique_ptr<SSL, Free> connection(SSL_new(context.get()));
  SSL_set_fd(connection.get(), fd.get());
  if (SSL_connect(connection.get()) != 1) return "refused";
  char first;
  // Under TLS 1.3 the client is done before the server has judged it: only a byte from the server
  // proves anything.
  if (SSL_read(connection.get(), &first, 1) != 1) return "refused";
  return SSL_get_version(connection.get());
}

}  // namespace zcluster::test
