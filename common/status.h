// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace zcluster {

// `status` with `context` and ": " before its message: each layer adds what it alone knows.
inline absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(context, ": ", status.message()));
}

// The calling thread's errno as a status: "`what`: No such file or directory".
inline absl::Status ErrnoStatus(absl::string_view what, int error = errno) {
  return absl::ErrnoToStatus(error, what);
}

}  // namespace zcluster

// Returns from the enclosing function if `expr`, an absl::Status, is not OK.
#define ZC_RETURN_IF_ERROR(expr)             \
  do {                                       \
    absl::Status zc_status_ = (expr);        \
    if (!zc_status_.ok()) return zc_status_; \
  } while (false)

// ZC_ASSIGN_OR_RETURN(int n, Parse(text)): assigns the value, or returns the error.
#define ZC_ASSIGN_OR_RETURN(lhs, expr) ZC_ASSIGN_OR_RETURN_(ZC_CONCAT_(zc_or_, __LINE__), lhs, expr)
#define ZC_ASSIGN_OR_RETURN_(tmp, lhs, expr) \
  auto tmp = (expr);                         \
  if (!tmp.ok()) return tmp.status();        \
  lhs = *std::move(tmp)
#define ZC_CONCAT_(a, b) ZC_CONCAT_INNER_(a, b)
#define ZC_CONCAT_INNER_(a, b) a##b
