// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/bootstrap.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/bootstrap/doorman.h"
#include "agent/bootstrap/guest.h"
#include "agent/bootstrap/server.h"
#include "common/credential.h"
#include "common/file.h"
#include "common/pki.h"
#include "common/status.h"

namespace zcluster::bootstrap {
namespace {

constexpr absl::Duration kShortestLife = absl::Seconds(10);
constexpr absl::Duration kLongestLife = absl::Hours(24);
// Callers that are not in yet, and the one that is. An honest one is judged within a second.
constexpr size_t kMostStreams = 16;
// A port that was closed a moment ago is let go by gRPC's threads, soon, but not at once. A node
// that opens it again serves nobody meanwhile.
constexpr absl::Duration kHandOver = absl::Seconds(1);

class Port final : public Bootstrap, public House, public Reception {
 public:
  Port(Loop& loop, Options options, JoinHandler& handler, tls::Credential credential,
       std::unique_ptr<Doorman> doorman)
      : loop_(loop),
        options_(std::move(options)),
        handler_(handler),
        credential_(std::move(credential)),
        doorman_(std::move(doorman)),
        inlet_(std::make_shared<Inlet>(loop)) {}
  ~Port() override {
    inlet_->Shut();
    SendAway("zagent stops on that node", /*all=*/true);  // so that no server waits for a stream
    server_.reset();
    closing_.clear();
    pki::Wipe(credential_.key);
  }

  absl::Status Open() override;
  void Close() override;
  int port() const override { return server_ == nullptr ? 0 : server_->port(); }
  absl::StatusOr<v1::TokenResponse> Token(absl::Duration lifetime) override;
  std::string Fingerprint() const override { return credential_.fingerprint; }
  absl::Status Unlock() override { return doorman_->Unlock(); }

 private:
  void SendAway(absl::string_view why, bool all);
  void OnCaller(std::unique_ptr<Stream> stream, const Caller& caller) override;
  absl::Status RoomFor(const Guest& guest) const override;
  void Gone(const Guest& guest) override;

  Loop& loop_;
  const Options options_;
  JoinHandler& handler_;
  tls::Credential credential_;
  const std::unique_ptr<Doorman> doorman_;
  const std::shared_ptr<Inlet> inlet_;
  std::vector<std::shared_ptr<Guest>> guests_;  // at most kMostStreams a server
  std::unique_ptr<Server> server_;              // null when closed
  std::vector<std::unique_ptr<Server>> closing_;
};

absl::Status Port::Open() {
  if (server_ != nullptr) return absl::OkStatus();
  closing_.erase(std::remove_if(closing_.begin(), closing_.end(),
                                [](const auto& server) { return server->Ended(); }),
                 closing_.end());
  const absl::Time give_up = Loop::Now() + kHandOver;
  while (true) {
    const auto streams = std::make_shared<OpenStreams>(inlet_, *this, kMostStreams);
    absl::StatusOr<std::unique_ptr<Server>> server =
        Server::Start(options_.listen, credential_, streams);
    if (server.ok()) {
      server_ = *std::move(server);
      return absl::OkStatus();
    }
    if (closing_.empty() || Loop::Now() > give_up) return server.status();
    absl::SleepFor(kHandOver / 50);
  }
}

void Port::Close() {
  if (server_ == nullptr) return;
  server_->Close();
  closing_.push_back(std::move(server_));
  SendAway("this node takes no join any more", /*all=*/false);
}

void Port::SendAway(absl::string_view why, bool all) {
  const std::vector<std::shared_ptr<Guest>> guests = guests_;
  for (const auto& guest : guests) {
    if (all || !guest->in()) guest->Leave(absl::UnavailableError(why));
  }
}

absl::StatusOr<v1::TokenResponse> Port::Token(absl::Duration lifetime) {
  if (lifetime < kShortestLife || lifetime > kLongestLife) {
    return absl::OutOfRangeError(
        absl::StrCat("a token cannot live ", absl::FormatDuration(lifetime), "; use 10s to 24h"));
  }
  const absl::Time now = absl::Now();
  ZC_ASSIGN_OR_RETURN(std::string secret, doorman_->MakeToken(lifetime, now));
  v1::TokenResponse response;
  response.set_token(token::Format(token::Kind::kJoin, credential_.fingerprint, secret));
  response.mutable_expires()->set_seconds(absl::ToUnixSeconds(now + lifetime));
  pki::Wipe(secret);
  return response;
}

void Port::OnCaller(std::unique_ptr<Stream> stream, const Caller& caller) {
  // A stream that was opened before Close() was called.
  if (server_ == nullptr) return stream->End(absl::UnavailableError("this node takes no join"));
  guests_.push_back(std::make_shared<Guest>(
      loop_, *this, *doorman_, handler_, std::move(stream),
      token::Session{.maker = credential_.fingerprint, .caller = caller.fingerprint}, caller.address));
}

absl::Status Port::RoomFor(const Guest& guest) const {
  for (const auto& other : guests_) {
    if (other.get() != &guest && other->in()) {
      return absl::FailedPreconditionError("another join of that node is under way");
    }
  }
  return absl::OkStatus();
}

void Port::Gone(const Guest& guest) {
  guests_.erase(std::remove_if(guests_.begin(), guests_.end(),
                               [&](const auto& one) { return one.get() == &guest; }),
                guests_.end());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Bootstrap>> Bootstrap::Make(Loop& loop, Options options,
                                                           JoinHandler& handler) {
  ZC_RETURN_IF_ERROR(MakeDirectories(options.state_dir, 0700));
  ZC_ASSIGN_OR_RETURN(tls::Credential credential, tls::LoadCredential(options.state_dir));
  ZC_ASSIGN_OR_RETURN(std::unique_ptr<Doorman> doorman, Doorman::Make(loop, options));
  return std::make_unique<Port>(loop, std::move(options), handler, std::move(credential),
                                std::move(doorman));
}

}  // namespace zcluster::bootstrap
