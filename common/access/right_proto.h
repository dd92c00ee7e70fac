// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "common/access.h"
#include "zcluster/v1/config.pb.h"

namespace zcluster::access {

// A value that is not known here (a newer program's) is kNone: nothing may be done by it.
inline Right FromProto(v1::Right right) {
  switch (right) {
    case v1::RIGHT_VIEWER:
      return Right::kViewer;
    case v1::RIGHT_OPERATOR:
      return Right::kOperator;
    case v1::RIGHT_ADMIN:
      return Right::kAdmin;
    default:
      return Right::kNone;
  }
}

inline v1::Right ToProto(Right right) {
  switch (right) {
    case Right::kNone:
      return v1::RIGHT_UNSPECIFIED;
    case Right::kViewer:
      return v1::RIGHT_VIEWER;
    case Right::kOperator:
      return v1::RIGHT_OPERATOR;
    case Right::kAdmin:
      return v1::RIGHT_ADMIN;
  }
  return v1::RIGHT_UNSPECIFIED;
}

}  // namespace zcluster::access
