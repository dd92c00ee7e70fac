// SPDX-License-Identifier: Apache-2.0
#include "common/access/server.h"

#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_interceptor.h>

#include <utility>

#include "absl/strings/match.h"
#include "common/access/guard.h"
#include "common/listen.h"
#include "common/standard_services.h"

namespace zcluster::access {
namespace {

// An operator's call is small; gRPC's own bound, said.
constexpr int kMaxMessageBytes = 4 << 20;
// Calls at once on a connection.
constexpr int kMaxStreams = 100;
// An operator that went away without a word (its wire was cut) is noticed within a minute.
constexpr int kKeepaliveMs = 30'000;

// A share in gRPC's call: it can be ended with it even while its context goes.
class CallShare {
 public:
  explicit CallShare(grpc_call* call) : call_(call) { grpc_call_ref(call_); }
  ~CallShare() { grpc_call_unref(call_); }
  CallShare(const CallShare&) = delete;
  CallShare& operator=(const CallShare&) = delete;
  void End(const absl::Status& why) {
    grpc_call_cancel_with_status(call_, static_cast<grpc_status_code>(why.code()),
                                 std::string(why.message()).c_str(), nullptr);
  }

 private:
  grpc_call* const call_;
};

// Ends a call of gRPC's own services whose caller may not, or no longer: they cannot ask the guard
// themselves.
class StandardGate : public grpc::experimental::Interceptor {
 public:
  StandardGate(Guard& guard, grpc::experimental::ServerRpcInfo* call)
      : guard_(guard), call_(*call) {}
  void Intercept(grpc::experimental::InterceptorBatchMethods* batch) override {
    if (batch->QueryInterceptionHookPoint(
            grpc::experimental::InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      Ask();
    }
    batch->Proceed();
  }

 private:
  void Ask() {
    auto share = std::make_shared<CallShare>(call_.server_context()->c_call());
    absl::StatusOr<std::shared_ptr<AdmittedCall>> admitted =
        guard_.Admit(*call_.server_context(), call_.method());
    if (!admitted.ok()) return share->End(admitted.status());
    admitted_ = *std::move(admitted);
    admitted_->OnRevoked([share](const absl::Status& why) { share->End(why); });
  }

  Guard& guard_;
  grpc::experimental::ServerRpcInfo& call_;
  std::shared_ptr<AdmittedCall> admitted_;
};

class StandardGates : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit StandardGates(Guard& guard) : guard_(guard) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* call) override {
    if (!absl::StartsWith(call->method(), "/grpc.")) return nullptr;
    return new StandardGate(guard_, call);
  }

 private:
  Guard& guard_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<grpc::Server>> StartServer(
    Guard& guard, const std::vector<grpc::Service*>& services, const Port& port, int* bound) {
  grpc::ServerBuilder builder;
  AddStandardServices(builder);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> gates;
  gates.push_back(std::make_unique<StandardGates>(guard));
  builder.experimental().SetInterceptorCreators(std::move(gates));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  for (grpc::Service* service : services) builder.RegisterService(service);
  int got = 0;
  if (!port.listen.empty()) builder.AddListeningPort(port.listen, port.credentials, &got);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || (!port.listen.empty() && got == 0)) {
    return port.listen.empty() ? absl::InternalError("gRPC cannot start a server; see the log")
                               : WhyNotListening(port.listen);
  }
  if (bound != nullptr) *bound = got;
  return server;
}

}  // namespace zcluster::access
