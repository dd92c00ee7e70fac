// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "zcluster/v1/bootstrap.pb.h"
#include "zcluster/v1/cluster.pb.h"
#include "zcluster/v1/maintenance.pb.h"
#include "zcluster/v1/operator.pb.h"

// What was asked, for the audit: `local_ip=10.0.0.1 force`. Each message field by field: what is
// not named here, such as a password, a token or a new field, stays out. Pure.
namespace zcluster::api {

std::string InWords(const v1::CreateRequest& request);
std::string InWords(const v1::ApplyRequest& request);
std::string InWords(const v1::UnconfigureRequest& request);
std::string InWords(const v1::TokenRequest& request);
std::string InWords(const v1::AddOperatorRequest& request);
std::string InWords(const v1::RevokeOperatorRequest& request);
std::string InWords(const v1::EnterRequest& request);
std::string InWords(const v1::SwitchoverRequest& request);
std::string InWords(const v1::FreezeRequest& request);
// Of those requests that only may be forced.
std::string InWords(bool force);

}  // namespace zcluster::api
