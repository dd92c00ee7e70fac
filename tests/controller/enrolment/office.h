// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/access/guard.h"
#include "common/credential.h"
#include "common/pki.h"
#include "controller/enrolment/enrolment.h"
#include "tests/support/loop_thread.h"
#include "zcluster/v1/enrolment.grpc.pb.h"

// A port where nodes enrol, and nodes, over real TLS on loopback.
namespace zcluster::controller {

inline constexpr absl::Duration kSoon = absl::Seconds(30);  // only a broken product takes longer

// A pair's CA, and its nodes' identities.
struct TestPair {
  explicit TestPair(std::string called) : name(std::move(called)) {}
  struct Member {
    std::string key;
    std::string certificate;
  };
  Member Issue(const std::string& node, absl::Duration lifetime = absl::Hours(1)) const;

  const std::string name;
  const std::string key = *pki::MakeKey();
  const std::string ca = *pki::MakeCa(key, "pair");
};

// A node that wants in: a key of its own for the session, and what it says.
class TestNode {
 public:
  explicit TestNode(int port);
  const tls::Credential& own() const { return own_; }

  // What an honest node of `pair` says with `token`; to be spoilt.
  v1::EnrolRequest Ask(const std::string& token, const TestPair& pair,
                       const std::string& node) const;
  grpc::Status Say(const v1::EnrolRequest& request);
  // Ask and Say.
  grpc::Status Enrol(const std::string& token, const TestPair& pair, const std::string& node) {
    return Say(Ask(token, pair, node));
  }
  const v1::EnrolResponse& response() const { return response_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  const tls::Credential own_ = *tls::MakeCredential();
  const std::shared_ptr<grpc::Channel> channel_;
  v1::EnrolResponse response_;
};

// The fleet's books, in memory. Loop thread, unless it says otherwise.
class TestBooks : public Books {
 public:
  std::vector<TokenRecord> Tokens() const override;
  void Keep(TokenRecord token, std::function<void(const absl::Status&)> kept) override;
  void Enrol(Candidate candidate,
             std::function<void(absl::StatusOr<v1::EnrolResponse>)> done) override;

  std::map<std::string, TokenRecord> tokens;
  std::map<std::string, std::string> ca_keys;  // of pairs
  std::vector<Candidate> enrolled;
  absl::Status disk = absl::OkStatus();
  bool owes = false;  // answers later
  std::vector<std::function<void()>> owed;
};

// Any thread.
class TestAudit : public AuditTrail {
 public:
  void Newest(size_t, Answer) override {}
  void Append(v1::AuditEntry entry) override;
  // "what | result", in their order.
  std::vector<std::string> Lines();

 private:
  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

class Office {
 public:
  Office();
  ~Office();

  int port() const { return port_; }
  const std::string& fingerprint() const { return own_.fingerprint; }
  TestAudit& audit() { return audit_; }
  // On the loop.
  void Do(const std::function<void(Enrolment&, TestBooks&)>& task);
  // A token as text.
  absl::StatusOr<Enrolment::Made> Make(Enrolment::Wanted wanted);
  std::string Token(const std::string& pair = "", absl::Duration lifetime = absl::Hours(1));
  // Changes what the books have of all tokens.
  void ChangeTokens(const std::function<void(TokenRecord&)>& change);
  std::vector<Candidate> Enrolled();
  bool Waits(const std::function<bool(TestBooks&)>& condition);
  absl::Duration Stop();

 private:
  const tls::Credential own_;
  TestBooks books_;
  TestAudit audit_;
  test::LoopThread loop_;
  std::unique_ptr<Enrolment> enrolment_;
  int port_ = 0;
};

}  // namespace zcluster::controller
