// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/access/roll.h"
#include "common/loop.h"
#include "common/pki.h"
#include "common/rate.h"
#include "controller/agents/agents.h"
#include "controller/core/fleet.h"
#include "controller/core/ids.h"
#include "controller/enrolment/enrolment.h"
#include "controller/hub/acknowledgements.h"
#include "controller/hub/figures.h"
#include "controller/hub/flow_watch.h"
#include "controller/hub/intake.h"
#include "controller/hub/ledger.h"
#include "controller/hub/recent.h"
#include "controller/hub/subscribers.h"
#include "controller/store/store.h"
#include "zcluster/v1/fleet.pb.h"
#include "zcluster/v1/operator.pb.h"

namespace zcluster::controller {

// Who signs certificates of the fleet.
struct Signer {
  // A certificate, PEM, for the key of `request`; INVALID_ARGUMENT if that is not good.
  std::function<absl::StatusOr<std::string>(const std::string& request, const pki::Terms& terms)>
      sign;
  std::function<std::string()> ca;  // the CA's certificate as it is now, PEM
  absl::Duration lifetime;          // of agents' certificates
};

// The middle of a controller: what agents say and what operators ask meet here. Owns the fleet as
// it is known and the books in memory; nothing that it promises is not on the disk. Loop thread.
//
// Answers are given once, on the loop, perhaps at once; none comes after this object is gone.
class Hub : public AgentListener, public Books {
 public:
  struct Options {
    std::string fleet;
    std::string controller;  // its own name
    std::string version;     // of this program
    absl::Duration report_interval = absl::Seconds(15);
    size_t max_agents = 20'000;          // that may be enrolled
    std::vector<std::string> addresses;  // where operators are served, ADDRESS:PORT
    // An agent that does not come back within so long is told of, as an event.
    absl::Duration patience = absl::Seconds(30);
    // How long a few events of an agent may be on the disk before it is told.
    absl::Duration acknowledge_within = absl::Seconds(5);
  };
  // Told who is admitted from now on: once at the start, and at each change.
  using Admit = std::function<void(std::vector<access::Operator>)>;
  // `loop` and `store` outlive this.
  Hub(Loop& loop, Options options, Store& store, Signer signer, Admit admit);
  ~Hub() override;

  // The streams of agents, which must outlive this or be taken away (null) before they go. Before
  // the first agent comes.
  void SetAgents(Agents* agents) { agents_ = agents; }
  // Tells all agents how to come back: before the streams are ended.
  void Stop();

  // What agents say (AgentListener).
  absl::StatusOr<v1::Welcome> OnHello(const ProvenAgent& agent,
                                      const v1::AgentHello& hello) override;
  void OnReport(const AgentId& agent, v1::AgentReport report) override;
  void OnEvents(const AgentId& agent, v1::EventBatch events) override;
  void OnFlows(const AgentId& agent, v1::FlowsSeen flows) override;
  void OnCertificateRequest(const AgentId& agent, v1::CertificateRequest request) override;
  void OnGone(const AgentId& agent, const std::string& reason) override;

  // What enrolment asks (Books).
  std::vector<TokenRecord> Tokens() const override;
  void Keep(TokenRecord token, std::function<void(const absl::Status&)> kept) override;
  void Enrol(Candidate candidate,
             std::function<void(absl::StatusOr<v1::EnrolResponse>)> done) override;

  // What operators ask. NOT_FOUND if there is no such pair, node or operator; UNAVAILABLE if the
  // disk does not take it.
  template <typename T>
  using Answer = std::function<void(absl::StatusOr<T>)>;
  using Done = std::function<void(const absl::Status&)>;

  const Fleet& fleet() const { return fleet_; }
  absl::StatusOr<const v1::PairSummary*> FindPair(const std::string& pair) const;
  void Show(const std::string& pair, Answer<v1::ShowPairResponse> answer);
  void Label(const v1::LabelPairRequest& request, Answer<v1::LabelPairResponse> answer);
  void Forget(const v1::ForgetPairRequest& request, Done done);

  void AddOperator(const v1::AddOperatorRequest& request, Answer<v1::AddOperatorResponse> answer);
  v1::ListOperatorsResponse ListOperators() const;
  void RevokeOperator(const v1::RevokeOperatorRequest& request, Done done);

  // Who is asked to steer a pair: the master's agent if it is connected, else the other's, which
  // passes on. UNAVAILABLE: neither is, and since when.
  absl::StatusOr<AgentId> WhomToAsk(const std::string& pair) const;
  // The agent of that very node. UNAVAILABLE: it is not connected, and why.
  absl::StatusOr<AgentId> AgentOf(const std::string& pair, const std::string& node) const;
  // As Agents::Ask.
  void Ask(const AgentId& agent, v1::FleetRequest request, Agents::Progress progress);

  // Names of pairs that came, went or look different, as it happens.
  Subscribers<const std::set<std::string>&>& changes() { return changes_; }
  // There are more events on the disk than before.
  Subscribers<>& grown() { return grown_; }
  // The newest of them.
  const Recent& recent() const { return recent_; }
  FlowWatch& flows() { return flows_; }
  Store& store() { return store_; }

  Figures figures() const;

 private:
  // An agent that is connected.
  struct Session {
    Rate certificates{0.1, 3};  // requests for certificates: each is a signature and a write
  };
  // One that went, until it is back.
  struct Absence {
    absl::Time since;
    std::string reason;
    bool told = false;
    Loop::Registration timer;
  };
  using Changes = std::vector<Change>;

  void Applied(const Change& change);
  void Spread();
  void Tell(const AgentId& about, const std::string& name, bool warning,
            std::vector<std::pair<std::string, std::string>> fields);
  void Admitted();
  absl::Status CheckAgent(const ProvenAgent& agent, const v1::AgentHello& hello) const;
  void SeenWith(const ProvenAgent& agent);
  void Refuse(const AgentId& agent, const char* what, const absl::Status& why);
  void Lost(const AgentId& agent);
  absl::StatusOr<Changes> DecideEnrolment(const Candidate& candidate, absl::Time now,
                                          v1::EnrolResponse& response) const;
  absl::Status CheckToken(const Candidate& candidate, absl::Time now) const;
  absl::Status CheckRoom(const Candidate& candidate) const;
  absl::StatusOr<Changes> DecideToken(TokenRecord token) const;
  absl::StatusOr<Changes> DecideCertificate(const AgentId& agent, const std::string& request,
                                            v1::IssuedCertificate& issued) const;
  std::string LastHeard(const std::string& pair) const;
  v1::ShowPairResponse::View ViewOf(const AgentRecord& record) const;

  Loop& loop_;
  const Options options_;
  Store& store_;
  const Signer signer_;
  const Admit admit_;
  Agents* agents_ = nullptr;
  Fleet fleet_;
  Acknowledgements acknowledgements_;
  Ledger ledger_;
  Intake intake_;
  Recent recent_;
  FlowWatch flows_;
  std::map<AgentId, Session> sessions_;
  std::map<AgentId, Absence> absences_;
  Subscribers<const std::set<std::string>&> changes_;
  Subscribers<> grown_;
  uint64_t events_taken_ = 0;
  uint64_t events_lost_ = 0;
  uint64_t requests_ = 0;
  uint64_t requests_failed_ = 0;
  const std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace zcluster::controller
