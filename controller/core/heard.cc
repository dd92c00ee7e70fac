// SPDX-License-Identifier: Apache-2.0
#include "controller/core/heard.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/strings.h"
#include "controller/core/names.h"

namespace zcluster::controller {
namespace {

constexpr size_t kMaxWord = 64;  // a version, an address, an interface, an event's name
constexpr size_t kMaxPath = 4096;
constexpr uint64_t kMaxTerm = uint64_t{1} << 62;                      // as between the nodes
constexpr uint64_t kMaxNumber = std::numeric_limits<int64_t>::max();  // what SQLite can count
// 10,000 years, as protobuf's durations and times reach.
constexpr int64_t kMaxSeconds = 315'576'000'000;

absl::Status Bad(absl::string_view field, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", problem));
}

absl::Status Text(absl::string_view field, std::string& text, size_t most = kMaxText) {
  if (text.size() > most)
    return Bad(field, absl::StrCat("has ", text.size(), " bytes; at most ", most));
  if (HasControlCharacter(text)) text = Printable(text);
  return absl::OkStatus();
}

absl::Status AtMost(absl::string_view field, int there, int most) {
  if (there <= most) return absl::OkStatus();
  return Bad(field, absl::StrCat("there are ", there, "; at most ", most));
}

template <typename Span>  // a Duration or a Timestamp
absl::Status Sane(absl::string_view field, const Span& span) {
  if (span.seconds() >= -kMaxSeconds && span.seconds() <= kMaxSeconds &&
      span.nanos() > -1'000'000'000 && span.nanos() < 1'000'000'000) {
    return absl::OkStatus();
  }
  return Bad(field, "is beyond all bounds");
}

absl::Status CheckNode(absl::string_view field, v1::Node& node) {
  ZC_RETURN_IF_ERROR(Annotate(CheckNodeName(node.hostname()), absl::StrCat(field, ".hostname")));
  ZC_RETURN_IF_ERROR(Text(absl::StrCat(field, ".ip"), *node.mutable_ip(), kMaxWord));
  ZC_RETURN_IF_ERROR(Text(absl::StrCat(field, ".message"), *node.mutable_message()));
  ZC_RETURN_IF_ERROR(Sane(absl::StrCat(field, ".age"), node.age()));
  // A newer agent may say what we do not know.
  if (!v1::Role_IsValid(node.role())) node.set_role(v1::ROLE_UNSPECIFIED);
  if (!v1::Status_IsValid(node.status()) || node.status() == v1::STATUS_UNSPECIFIED)
    node.set_status(v1::STATUS_GREY);
  return absl::OkStatus();
}

absl::Status CheckNodes(const AgentId& agent, v1::GetStatusResponse& status) {
  if (status.nodes_size() < 1 || status.nodes_size() > 2)
    return Bad("nodes", absl::StrCat("there are ", status.nodes_size(), "; expected 1 or 2"));
  ZC_RETURN_IF_ERROR(CheckNode("nodes[0]", *status.mutable_nodes(0)));
  if (status.nodes(0).hostname() != agent.node) {
    return Bad("nodes[0].hostname", absl::StrCat("is ", status.nodes(0).hostname(),
                                                 ", but the agent is of ", agent.node));
  }
  if (status.nodes_size() == 1) return absl::OkStatus();
  v1::Node& peer = *status.mutable_nodes(1);
  if (peer.hostname().empty()) {  // an agent that is in no pair yet
    status.mutable_nodes()->RemoveLast();
    return absl::OkStatus();
  }
  ZC_RETURN_IF_ERROR(CheckNode("nodes[1]", peer));
  if (peer.hostname() == agent.node) return Bad("nodes[1].hostname", "is the agent's own");
  return absl::OkStatus();
}

absl::Status CheckLists(v1::GetStatusResponse& status) {
  ZC_RETURN_IF_ERROR(AtMost("not_ready", status.not_ready_size(), kMaxReasons));
  for (std::string& reason : *status.mutable_not_ready())
    ZC_RETURN_IF_ERROR(Text("not_ready", reason));
  ZC_RETURN_IF_ERROR(AtMost("readiness", status.readiness_size(), kMaxPreconditions));
  for (v1::Precondition& precondition : *status.mutable_readiness()) {
    ZC_RETURN_IF_ERROR(Text("readiness.name", *precondition.mutable_name()));
    ZC_RETURN_IF_ERROR(Text("readiness.node", *precondition.mutable_node(), kMaxWord));
    ZC_RETURN_IF_ERROR(Text("readiness.evidence", *precondition.mutable_evidence()));
  }
  ZC_RETURN_IF_ERROR(AtMost("vips", status.vips_size(), kMaxVips));
  for (v1::Vip& vip : *status.mutable_vips()) {
    ZC_RETURN_IF_ERROR(Text("vips.address", *vip.mutable_address(), kMaxWord));
    ZC_RETURN_IF_ERROR(Text("vips.interface", *vip.mutable_interface(), kMaxWord));
  }
  ZC_RETURN_IF_ERROR(AtMost("roots", status.roots_size(), kMaxRoots));
  for (v1::RootState& root : *status.mutable_roots()) {
    ZC_RETURN_IF_ERROR(Text("roots.path", *root.mutable_path(), kMaxPath));
    ZC_RETURN_IF_ERROR(Text("roots.local_digest", *root.mutable_local_digest(), kMaxWord));
    ZC_RETURN_IF_ERROR(Text("roots.remote_digest", *root.mutable_remote_digest(), kMaxWord));
    ZC_RETURN_IF_ERROR(Text("roots.problem", *root.mutable_problem()));
  }
  return absl::OkStatus();
}

absl::Status CheckParts(v1::GetStatusResponse& status) {
  ZC_RETURN_IF_ERROR(Text("pair", *status.mutable_pair()));
  ZC_RETURN_IF_ERROR(Text("version", *status.mutable_version(), kMaxWord));
  ZC_RETURN_IF_ERROR(Sane("advert_interval", status.advert_interval()));
  if (status.term() > kMaxTerm) return Bad("term", "is beyond all bounds");
  if (status.has_link()) {
    v1::LinkState& link = *status.mutable_link();
    ZC_RETURN_IF_ERROR(Text("link.address", *link.mutable_address()));
    ZC_RETURN_IF_ERROR(Text("link.version", *link.mutable_version(), kMaxWord));
    ZC_RETURN_IF_ERROR(Text("link.problem", *link.mutable_problem()));
    ZC_RETURN_IF_ERROR(Sane("link.since", link.since()));
  }
  if (status.has_conntrack()) {
    v1::ConntrackState& conntrack = *status.mutable_conntrack();
    ZC_RETURN_IF_ERROR(Text("conntrack.problem", *conntrack.mutable_problem()));
    ZC_RETURN_IF_ERROR(Sane("conntrack.lag", conntrack.lag()));
  }
  if (status.has_controller()) {
    v1::ControllerState& controller = *status.mutable_controller();
    ZC_RETURN_IF_ERROR(Text("controller.address", *controller.mutable_address()));
    ZC_RETURN_IF_ERROR(Text("controller.fleet", *controller.mutable_fleet(), kMaxWord));
    ZC_RETURN_IF_ERROR(Text("controller.pair", *controller.mutable_pair(), kMaxWord));
    ZC_RETURN_IF_ERROR(Text("controller.problem", *controller.mutable_problem()));
    ZC_RETURN_IF_ERROR(Sane("controller.since", controller.since()));
  }
  return absl::OkStatus();
}

absl::Status CheckEvent(v1::Event& event) {
  ZC_RETURN_IF_ERROR(Sane("at", event.at()));
  if (event.name().empty()) return Bad("name", "is missing");
  ZC_RETURN_IF_ERROR(Text("name", *event.mutable_name(), kMaxWord));
  ZC_RETURN_IF_ERROR(AtMost("fields", event.fields_size(), kMaxFields));
  for (v1::Event::Field& field : *event.mutable_fields()) {
    ZC_RETURN_IF_ERROR(Text("fields.name", *field.mutable_name(), kMaxWord));
    ZC_RETURN_IF_ERROR(Text("fields.value", *field.mutable_value()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckHello(v1::AgentHello& hello) {
  ZC_RETURN_IF_ERROR(Text("version", *hello.mutable_version(), kMaxWord));
  ZC_RETURN_IF_ERROR(Text("journal", *hello.mutable_journal(), kMaxWord));
  if (!v1::Right_IsValid(hello.allow())) hello.set_allow(v1::RIGHT_UNSPECIFIED);
  if (hello.first_event() > kMaxNumber || hello.last_event() > kMaxNumber)
    return Bad("last_event", "is beyond all bounds");
  return absl::OkStatus();
}

absl::Status CheckReport(const AgentId& agent, v1::AgentReport& report) {
  if (const size_t size = report.ByteSizeLong(); size > kMaxReport) {
    return Bad("report", absl::StrCat("has ", size, " bytes; at most ", kMaxReport));
  }
  ZC_RETURN_IF_ERROR(Text("pair", *report.mutable_pair()));
  v1::GetStatusResponse& status = *report.mutable_status();
  ZC_RETURN_IF_ERROR(Annotate(CheckNodes(agent, status), "status"));
  ZC_RETURN_IF_ERROR(Annotate(CheckLists(status), "status"));
  return Annotate(CheckParts(status), "status");
}

absl::Status CheckEvents(v1::EventBatch& batch) {
  if (batch.events().empty()) return Bad("events", "there are none");
  ZC_RETURN_IF_ERROR(AtMost("events", batch.events_size(), kMaxEvents));
  uint64_t expected = batch.events(0).number();
  if (expected == 0) return Bad("events[0].number", "is 0; the first event of a journal is 1");
  for (v1::Event& event : *batch.mutable_events()) {
    if (event.number() != expected || expected > kMaxNumber) {
      return Bad("events.number",
                 absl::StrCat("is ", event.number(), "; expected ", expected, " in its place"));
    }
    ZC_RETURN_IF_ERROR(Annotate(CheckEvent(event), absl::StrCat("event ", expected)));
    ++expected;
  }
  return absl::OkStatus();
}

absl::Status CheckFlows(const AgentId& agent, v1::FlowsSeen& flows) {
  ZC_RETURN_IF_ERROR(AtMost("flows", flows.flows_size(), kMaxFlows));
  for (const v1::SeenFlow& seen : flows.flows()) {
    ZC_RETURN_IF_ERROR(Sane("flows.at", seen.at()));
    const v1::Flow& flow = seen.flow();
    for (const std::string* address : {&flow.source_v6(), &flow.destination_v6(),
                                       &flow.reply_source_v6(), &flow.reply_destination_v6()}) {
      if (!address->empty() && address->size() != 16)
        return Bad("flows.flow", absl::StrCat("an address of ", address->size(), " bytes"));
    }
  }
  flows.set_node(agent.node);
  return absl::OkStatus();
}

}  // namespace zcluster::controller
