// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/credential.h"
#include "common/token.h"
#include "common/unique_fd.h"
#include "zcluster/v1/bootstrap.grpc.pb.h"

// Who does not keep to the rules.
namespace zcluster::bootstrap {

// A caller that believes any node, and says what it likes.
class Stranger {
 public:
  explicit Stranger(const std::string& address);
  const std::string& fingerprint() const { return own_.fingerprint; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  v1::BootstrapService::Stub& stub() { return *stub_; }

  // Says it all, hears all there is to hear, returns how it ended.
  grpc::Status Say(const std::vector<v1::JoinRequest>& requests,
                   std::vector<v1::JoinReply>* replies = nullptr);
  // An admission with the proof for a session with the node of that fingerprint.
  v1::JoinRequest Proof(const std::string& token, const std::string& node) const;

 private:
  const tls::Credential own_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::BootstrapService::Stub> stub_;
};

// In between: speaks TLS with a key of its own, takes any caller, and notes what it says after the
// handshake. Byte by byte, so that nothing is overlooked.
class Listener {
 public:
  Listener();
  ~Listener();
  std::string address() const;
  const std::string& fingerprint() const { return own_.fingerprint; }
  // Waits for the one connection that is served to end. What was said on it first, after the
  // handshake; "no handshake" if there was none.
  std::string Heard();

 private:
  void Serve();

  const tls::Credential own_;
  UniqueFd socket_;
  int port_ = 0;
  std::string heard_;
  std::thread thread_;
};

// In between, as a program would be that knows the protocol: takes any caller, reads what it says,
// and says the same to the node over a connection of its own.
class Relay final : public v1::BootstrapService::Service {
 public:
  explicit Relay(const std::string& node);
  ~Relay() override;
  std::string address() const;
  const std::string& fingerprint() const { return own_.fingerprint; }
  int calls() const { return calls_; }

 private:
  grpc::Status Join(grpc::ServerContext* context,
                    grpc::ServerReaderWriter<v1::JoinReply, v1::JoinRequest>* caller) override;

  const tls::Credential own_;
  Stranger to_node_;
  std::atomic<int> calls_{0};
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace zcluster::bootstrap
