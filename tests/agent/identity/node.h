// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "agent/identity/identity.h"
#include "common/certificate.h"
#include "common/pki.h"
#include "tests/support/certificates.h"

// A node that renews its identity by itself, with real files and a real loop.
namespace zcluster::identity {

// Whether `condition` came true before a deadline that only a broken product reaches.
inline bool WaitUntil(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    ::poll(nullptr, 0, 20);  // looks again, without keeping a core busy
  }
  return true;
}

// A pair's CA, which lives on both nodes.
struct PairCa {
  std::string key = *pki::MakeKey();
  std::string certificate = *pki::MakeCa(key, "lab");
};

// The problems that the brain was told of.
class Problems : public EventSink {
 public:
  void Report(core::Event event) override {
    absl::MutexLock lock(&mutex_);
    const auto& reported = std::get<core::ComponentReported>(event);
    EXPECT_EQ(reported.component, "certificate");
    all_.push_back(reported.problem);
  }
  std::vector<std::string> All() {
    absl::MutexLock lock(&mutex_);
    return all_;
  }
  // Waits for the `nth` report, the first being 1; after a deadline, what there was.
  std::string Wait(size_t nth) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return all_.size() >= nth; };
    if (mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(30))) return all_[nth - 1];
    return "only: " + absl::StrJoin(all_, " | ");
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> all_;
};

class Node {
 public:
  explicit Node(const std::string& name) : uri(tls::NodeUri("lab", name)) {
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~Node() {
    if (renewal_ != nullptr) OnLoop([this] { renewal_->Stop(); });
    loop_.Quit();
    thread_.join();
  }

  // An identity signed by `ca`.
  Identity Make(const PairCa& ca, absl::Duration lifetime) const {
    Identity identity{
        .certificate = {}, .key = *pki::MakeKey(), .ca = ca.certificate, .ca_key = ca.key};
    identity.certificate = *pki::Sign(*pki::MakeRequest(identity.key, uri), identity.ca,
                                      identity.ca_key, {uri, lifetime});
    return identity;
  }
  void Install(const Identity& identity) const {
    ASSERT_EQ(identity::Install(directory, identity), absl::OkStatus());
  }
  // As the agent does it. `self`: the node renews; else somebody else does.
  void StartRenewal(absl::Duration lifetime, bool self = true) {
    renewal_ = std::make_unique<Renewal>(loop_, Options{.files = files(),
                                                        .directory = self ? directory : "",
                                                        .uri = uri,
                                                        .lifetime = lifetime});
    OnLoop([this] { ASSERT_EQ(renewal_->Start(problems), absl::OkStatus()); });
  }
  void OnLoop(const std::function<void()>& task) {
    absl::Notification done;
    loop_.Post([&] {
      task();
      done.Notify();
    });
    done.WaitForNotification();
  }

  tls::Files files() const { return FilesIn(directory); }
  Renewal& renewal() { return *renewal_; }
  // The number of the present identity, 1 for the first.
  int version() const {
    return std::stoi(std::filesystem::read_symlink(directory + "/current").string().substr(1));
  }
  // Whether the present identity is what `ca` would let through.
  absl::Status Check(const std::string& ca) const {
    const Identity now = *Load(directory);
    if (absl::Status own = tls::CheckOwnFiles(files(), uri); !own.ok()) return own;
    return tls::CheckCertificate(
        {.certificate = now.certificate, .chain = {}, .ca = ca, .called = "it"}, tls::Use::kClient,
        uri);
  }

 private:
  test::TempDirectory parent_;

 public:
  const std::string directory = parent_.path() + "/identity";
  const std::string uri;
  Problems problems;

 private:
  Loop loop_;
  std::unique_ptr<Renewal> renewal_;
  std::thread thread_;
};

}  // namespace zcluster::identity
