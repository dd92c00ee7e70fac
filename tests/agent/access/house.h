// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "agent/api/api.h"
#include "agent/command/command.h"
#include "agent/configsync/configsync.h"
#include "agent/conntrack/conntrack.h"
#include "agent/peer/peer.h"
#include "common/access/access.h"
#include "common/access/audit_log.h"
#include "common/access/local_listener.h"
#include "common/tls.h"
#include "tests/agent/api/fake_lifecycle.h"
#include "tests/support/certificates.h"
#include "tests/support/loop_thread.h"
#include "zcluster/v1/configuration.grpc.pb.h"

// An agent with all its doors, as main.cc composes it: the local socket, the operators' port, the
// peer's port. Only who makes pairs and the brain are not real.
namespace zcluster::access {

// What credentials were told of whom they refused.
class Refusals {
 public:
  tls::OnRefused Listener();
  // Waits for the first; empty if none comes.
  std::string Wait();

 private:
  absl::Mutex mutex_;
  std::string last_ ABSL_GUARDED_BY(mutex_);
};

// Does what operators ask for at once.
class QuickBrain : public EventSink {
 public:
  QuickBrain(Loop& loop, Adapter& api) : loop_(loop), api_(api) {}
  void Report(core::Event event) override {
    const auto* asked = std::get_if<core::OperationAsked>(&event);
    if (asked == nullptr) return;
    loop_.Post([this, id = asked->operation] {
      api_.Perform(core::Finished{id, absl::OkStatus()});
    });
  }

 private:
  Loop& loop_;
  Adapter& api_;
};

class House {
 public:
  House();
  ~House();

  // What the CA of the pair "lab", or the one of another pair, signs.
  tls::Files Issue(const std::string& uri) const;
  tls::Files IssueElsewhere(const std::string& uri) const;
  tls::Files IssueOperator(const std::string& name) const {
    return Issue(tls::OperatorUri("lab", name));
  }
  // An entry of the list for the holder of `files`.
  static Operator Admitted(const std::string& name, Right right, const tls::Files& files);

  // A connection of its own to a TLS port, as the holder of `files`; without them it shows no
  // certificate.
  std::shared_ptr<grpc::Channel> Dial(int port, const tls::Files* files) const;

  // The nodes look so from now on.
  void Show(core::View view) {
    loop.Do([&] { api_.Perform(core::Publish{std::move(view)}); });
  }

  // The newest audit entries as "WHO | WHAT | RESULT", once `n` are there.
  std::vector<std::string> Audit(size_t n);

 private:
  const test::TempDirectory directory_;
  const test::Authority lab_{directory_.path(), "lab"};
  const test::Authority elsewhere_{directory_.path(), "elsewhere"};
  const std::shared_ptr<grpc::Channel> nowhere_;

 public:
  const std::string socket;
  test::LoopThread loop;
  std::unique_ptr<AuditLog> log;
  Access access;
  Refusals operator_refusals;
  Refusals peer_refusals;
  int operators_port = 0;
  int peer_port = 0;

 private:
  api::FakeLifecycle lifecycle_;
  api::Api api_;
  QuickBrain brain_;
  command::Command command_;
  conntrack::Conntrack conntrack_;
  configsync::ConfigSync config_sync_;
  peer::PeerLink link_;
  std::unique_ptr<grpc::Service> configuration_;
  std::unique_ptr<grpc::Server> operators_server_;
  std::unique_ptr<grpc::Server> peer_server_;
  std::unique_ptr<LocalListener> listener_;
};

}  // namespace zcluster::access
