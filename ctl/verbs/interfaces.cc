// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/interfaces.h"

#include <ostream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "ctl/output/table.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

using Address = v1::InterfacesResponse::Address;

constexpr int kTries = 3;

std::string WithoutPrefix(const std::string& address) {
  return address.substr(0, address.find('/'));
}

// What stands before the choice. Questions, and all that belongs to them, are no output.
void Show(Context& context, const std::vector<Address>& usable,
          const std::vector<Address>& others) {
  Table good({}), bad({});
  for (const Address& address : usable) {
    good.Add({absl::StrCat(&address - usable.data() + 1), address.address(), address.interface()});
  }
  for (const Address& address : others) {
    bad.Add({address.address(), address.interface(), address.refused()});
  }
  if (!usable.empty()) {
    context.err << "Addresses of this node:\n" << good.Render(context.style, 2);
  }
  if (!others.empty()) {
    context.err << "Not for a pair:\n" << bad.Render(context.style, 2);
  }
}

// The address that `answer` means, by number or by itself, or nothing.
std::string Chosen(const std::vector<Address>& usable, absl::string_view answer) {
  answer = absl::StripAsciiWhitespace(answer);
  if (answer.empty()) return usable.size() == 1 ? WithoutPrefix(usable[0].address()) : "";
  size_t number = 0;
  if (absl::SimpleAtoi(answer, &number) && number >= 1 && number <= usable.size()) {
    return WithoutPrefix(usable[number - 1].address());
  }
  for (const Address& address : usable) {
    if (answer == address.address() || answer == WithoutPrefix(address.address())) {
      return WithoutPrefix(address.address());
    }
  }
  return "";
}

}  // namespace

absl::StatusOr<std::string> ChooseLocalAddress(Context& context, Prompt& prompt) {
  v1::InterfacesResponse response;
  ZC_RETURN_IF_ERROR(Ask(context, [&response](const Channel& channel, grpc::ClientContext* call) {
    return v1::ClusterService::NewStub(channel)->Interfaces(call, v1::InterfacesRequest(),
                                                            &response);
  }));
  std::vector<Address> usable, others;
  for (const Address& address : response.addresses()) {
    (address.refused().empty() ? usable : others).push_back(address);
  }
  Show(context, usable, others);
  if (usable.empty()) {
    return absl::FailedPreconditionError(
        "this node has no address that a pair can be made on; give one of its real interfaces one");
  }
  if (usable.size() == 1 && context.Has("--yes")) return WithoutPrefix(usable[0].address());
  const std::string question =
      usable.size() == 1 ? absl::StrCat("Address of this node [",
                                        WithoutPrefix(Sanitise(usable[0].address())), "]: ")
                         : absl::StrCat("Address of this node [1-", usable.size(), "]: ");
  for (int i = 0; i < kTries; ++i) {
    ZC_ASSIGN_OR_RETURN(const std::string answer, prompt.Line(question));
    const std::string chosen = Chosen(usable, answer);
    if (!chosen.empty()) return chosen;
    context.err << "'" << Sanitise(answer) << "' is none of them\n";
  }
  return absl::InvalidArgumentError("no address was chosen; --local-ip names one");
}

}  // namespace zcluster::ctl
