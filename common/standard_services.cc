// SPDX-License-Identifier: Apache-2.0
#include "common/standard_services.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace zcluster {
namespace {

using Plugins = std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>;

// Gives a server reflection, or takes it away. The library of reflection adds itself to every
// server of a program that it is linked to, when the program starts; only if it ever ceases to must
// it be added.
class Reflection : public grpc::ServerBuilderOption {
 public:
  explicit Reflection(bool wanted) : wanted_(wanted) {}
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(Plugins* plugins) override {
    auto ours = std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>();
    plugins->erase(
        std::remove_if(plugins->begin(), plugins->end(),
                       [&](const auto& plugin) { return plugin->name() == ours->name(); }),
        plugins->end());
    if (wanted_) plugins->push_back(std::move(ours));
  }

 private:
  const bool wanted_;
};

}  // namespace

void AddStandardServices(grpc::ServerBuilder& builder) {
  // For all servers that do not say no.
  grpc::EnableDefaultHealthCheckService(true);
  builder.SetOption(std::make_unique<Reflection>(true));
}

void NoStandardServices(grpc::ServerBuilder& builder) {
  builder.SetOption(std::make_unique<grpc::HealthCheckServiceServerBuilderOption>(nullptr));
  builder.SetOption(std::make_unique<Reflection>(false));
}

}  // namespace zcluster
