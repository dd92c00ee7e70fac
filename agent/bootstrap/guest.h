// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "agent/bootstrap/bootstrap.h"
#include "agent/bootstrap/doorman.h"
#include "agent/bootstrap/stream.h"
#include "common/scrubbing.h"

namespace zcluster::bootstrap {

class Guest;

// What a guest asks of the house. Loop thread.
class House {
 public:
  virtual ~House() = default;
  // Before and after the doorman's verdict: FAILED_PRECONDITION while another guest is in.
  virtual absl::Status RoomFor(const Guest& guest) const = 0;
  // Its stream has ended. It may be destroyed.
  virtual void Gone(const Guest& guest) = 0;
};

// One stream on the node's side: it is silent, being judged, or in. Loop thread.
class Guest final : public StreamListener, public std::enable_shared_from_this<Guest> {
 public:
  // All of these outlive it, but `house` only until Gone().
  Guest(Loop& loop, House& house, Doorman& doorman, JoinHandler& handler,
        std::unique_ptr<Stream> stream, token::Session session, std::string from);
  // Ends the stream, and the join if it is in; Gone() is not called.
  ~Guest() override;

  bool in() const { return in_; }
  // Ends it with `why`.
  void Leave(const absl::Status& why);

  void OnHeard(const Received& message) override;
  void OnWritten() override;
  void OnEnded(const grpc::Status& status) override;

 private:
  void Admit(v1::JoinRequest& request);
  void Judged(const absl::Status& verdict);
  void Carry(v1::JoinRequest& request);
  void Answer(const absl::StatusOr<v1::JoinReply>& reply);
  bool EndJoin();

  House& house_;
  Doorman& doorman_;
  JoinHandler& handler_;
  std::unique_ptr<Stream> stream_;  // null when it has left
  const token::Session session_;
  const std::string from_;
  bool spoke_ = false;  // the admission came
  bool in_ = false;
  std::string by_;                                       // what admits it, for the log
  bool carrying_ = false;                                // Carry() has not returned yet
  bool owed_ = false;                                    // the handler owes a reply
  absl::optional<absl::StatusOr<v1::JoinReply>> early_;  // that came while carrying
  absl::optional<Scrubbing> scrubbing_;                  // since it has shown a password
  Loop::Registration patience_;
};

}  // namespace zcluster::bootstrap
