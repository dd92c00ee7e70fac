// SPDX-License-Identifier: Apache-2.0
#include "common/grpc_life.h"

#include <grpc/grpc.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include "common/check.h"

namespace zcluster {

void KeepGrpc() {
  // A server that listens nowhere holds the threads; it is never let go.
  [[maybe_unused]] static const bool kept = [] {
    grpc_init();
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(new grpc::CallbackGenericService);
    const grpc::Server* server = builder.BuildAndStart().release();
    ZC_CHECK(server != nullptr);
    return true;
  }();
}

}  // namespace zcluster
