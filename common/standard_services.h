// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace grpc {
class ServerBuilder;
}  // namespace grpc

// grpc.health.v1.Health and grpc.reflection.v1alpha.ServerReflection. gRPC gives each to every
// server of the process that does not say no, so each server of ours calls one of these, where its
// builder is made. Not at the same time from two threads.
namespace zcluster {

// This server has them: one that knows its callers.
void AddStandardServices(grpc::ServerBuilder& builder);
// This server has neither: one that strangers reach.
void NoStandardServices(grpc::ServerBuilder& builder);

}  // namespace zcluster
