// SPDX-License-Identifier: Apache-2.0
#include "common/grpc_life.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include "common/check.h"

namespace zcluster {

void KeepGrpc() {
  // A server that listens nowhere holds gRPC and the threads.
  static const grpc::Server* const kHolder = [] {
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(new grpc::CallbackGenericService);
    return builder.BuildAndStart().release();
  }();
  ZC_CHECK(kHolder != nullptr);
}

}  // namespace zcluster
