// SPDX-License-Identifier: Apache-2.0
#include "common/access/vouched.h"

#include <grpcpp/grpcpp.h>
#include <sys/random.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/check.h"

namespace zcluster::access {
namespace {

constexpr size_t kSealBytes = 32;

// The only value of that name; none if there are several, which nobody of ours writes.
absl::optional<std::string> Only(const grpc::ServerContextBase& call, const char* name) {
  const auto [first, last] = call.client_metadata().equal_range(name);
  if (first == last || std::next(first) != last) return absl::nullopt;
  return std::string(first->second.data(), first->second.size());
}

// In a time that does not tell where they differ.
bool Same(absl::string_view one, absl::string_view other) {
  if (one.size() != other.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < one.size(); ++i)
    difference |= static_cast<unsigned>(static_cast<unsigned char>(one[i] ^ other[i]));
  return difference == 0;
}

absl::optional<Right> RightIn(const std::string& text) {
  for (const Right right : {Right::kNone, Right::kViewer, Right::kOperator, Right::kAdmin}) {
    if (text == Name(right)) return right;
  }
  return absl::nullopt;
}

}  // namespace

std::string MakeSeal() {
  std::string seal(kSealBytes, '\0');
  ZC_CHECK(::getrandom(seal.data(), seal.size(), 0) == static_cast<ssize_t>(seal.size()));
  return seal;
}

void Vouch(const Caller& caller, absl::string_view seal, grpc::ClientContext& call) {
  call.AddMetadata(kVouchedSeal, std::string(seal));
  call.AddMetadata(kVouchedWho, caller.name);
  call.AddMetadata(kVouchedFrom, caller.from);
  call.AddMetadata(kVouchedRight, std::string(Name(caller.right)));
}

bool IsInProcess(const grpc::ServerContextBase& call) {
  if (call.peer() != "unknown") return false;
  const auto proof = call.auth_context();
  return proof == nullptr || proof->begin() == proof->end();
}

absl::StatusOr<Caller> ReadVouched(const grpc::ServerContextBase& call, absl::string_view seal) {
  const absl::optional<std::string> shown = Only(call, kVouchedSeal);
  const absl::optional<std::string> who = Only(call, kVouchedWho);
  const absl::optional<std::string> from = Only(call, kVouchedFrom);
  const absl::optional<std::string> right = Only(call, kVouchedRight);
  const absl::optional<Right> known = right ? RightIn(*right) : absl::nullopt;
  if (!shown || !Same(*shown, seal) || !who || who->empty() || !from || !known) {
    return absl::UnauthenticatedError(
        "the caller is not known: the call comes from within the agent, which vouches for nobody");
  }
  return Caller{.name = *who, .right = *known, .from = *from};
}

}  // namespace zcluster::access
