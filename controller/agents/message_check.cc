// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/message_check.h"

#include <google/protobuf/message.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster::controller {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Of any list and any text in a report, a flow or a step: far more than an honest pair has (500
// VIPs, 256 roots, sentences).
constexpr int kMaxItems = 1000;
constexpr size_t kMaxText = 4096;
// Of a name or a version.
constexpr size_t kMaxWord = 64;
constexpr int kMaxEvents = 256;
constexpr int kMaxEventFields = 32;
constexpr size_t kMaxEventValue = 1024;
constexpr size_t kMaxRequest = 16 << 10;
// Event numbers are kept in signed columns.
constexpr uint64_t kMaxEventNumber = std::numeric_limits<int64_t>::max();
// What protobuf's own time types allow: 0001-01-01 to 9999-12-31, and 10,000 years.
constexpr int64_t kFirstSecond = -62'135'596'800;
constexpr int64_t kLastSecond = 253'402'300'799;
constexpr int64_t kMostSeconds = 315'576'000'000;
constexpr int32_t kMostNanos = 999'999'999;
// gRPC's codes.
constexpr int32_t kLastCode = 16;

absl::Status Bad(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

absl::Status CheckText(absl::string_view field, const std::string& text, size_t most) {
  if (text.size() <= most) return absl::OkStatus();
  return Bad(field, absl::StrCat("has ", text.size(), " bytes, at most ", most, " are allowed"));
}

absl::Status CheckWord(absl::string_view field, const std::string& word) {
  if (word.empty()) return Bad(field, "is missing");
  return CheckText(field, word, kMaxWord);
}

// A time that does not fit its type would overflow whoever counts with it.
absl::Status CheckTime(absl::string_view field, const google::protobuf::Timestamp& time) {
  if (time.seconds() >= kFirstSecond && time.seconds() <= kLastSecond && time.nanos() >= 0 &&
      time.nanos() <= kMostNanos) {
    return absl::OkStatus();
  }
  return Bad(field, "is no time");
}

absl::Status CheckSpan(absl::string_view field, const google::protobuf::Duration& span) {
  if (span.seconds() >= -kMostSeconds && span.seconds() <= kMostSeconds &&
      span.nanos() >= -kMostNanos && span.nanos() <= kMostNanos) {
    return absl::OkStatus();
  }
  return Bad(field, "is no duration");
}

absl::Status CheckBounds(const Message& message);

absl::Status CheckBoundsOf(const Message& message, const FieldDescriptor& field) {
  const google::protobuf::Reflection& of = *message.GetReflection();
  const int count = field.is_repeated() ? of.FieldSize(message, &field) : 1;
  if (count > kMaxItems) {
    return Bad(field.full_name(),
               absl::StrCat("has ", count, " entries, at most ", kMaxItems, " are allowed"));
  }
  for (int i = 0; i < count; ++i) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      ZC_RETURN_IF_ERROR(CheckBounds(field.is_repeated() ? of.GetRepeatedMessage(message, &field, i)
                                                         : of.GetMessage(message, &field)));
    } else if (field.type() == FieldDescriptor::TYPE_STRING) {
      std::string scratch;
      ZC_RETURN_IF_ERROR(CheckText(field.full_name(),
                                   field.is_repeated()
                                       ? of.GetRepeatedStringReference(message, &field, i, &scratch)
                                       : of.GetStringReference(message, &field, &scratch),
                                   kMaxText));
    }
  }
  return absl::OkStatus();
}

// Every text, list and time in it, whatever its type: fields that are added later are bounded from
// the first day. Bytes (what a command printed) have the message's own bound.
absl::Status CheckBounds(const Message& message) {
  const std::string& name = message.GetDescriptor()->full_name();
  if (const auto* time = dynamic_cast<const google::protobuf::Timestamp*>(&message)) {
    return CheckTime(name, *time);
  }
  if (const auto* span = dynamic_cast<const google::protobuf::Duration*>(&message)) {
    return CheckSpan(name, *span);
  }
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    ZC_RETURN_IF_ERROR(CheckBoundsOf(message, *field));
  }
  return absl::OkStatus();
}

absl::Status CheckHello(const v1::AgentHello& hello) {
  ZC_RETURN_IF_ERROR(CheckWord("hello.pair", hello.pair()));
  ZC_RETURN_IF_ERROR(CheckWord("hello.node", hello.node()));
  ZC_RETURN_IF_ERROR(CheckText("hello.version", hello.version(), kMaxWord));
  ZC_RETURN_IF_ERROR(CheckWord("hello.journal", hello.journal()));
  const bool empty = hello.first_event() == 0 && hello.last_event() == 0;
  if (!empty && (hello.first_event() == 0 || hello.first_event() > hello.last_event() ||
                 hello.last_event() > kMaxEventNumber)) {
    return Bad("hello.first_event",
               absl::StrCat("no journal holds ", hello.first_event(), " to ", hello.last_event()));
  }
  return absl::OkStatus();
}

absl::Status CheckEvent(const v1::Event& event) {
  ZC_RETURN_IF_ERROR(CheckWord("events.name", event.name()));
  ZC_RETURN_IF_ERROR(CheckTime("events.at", event.at()));
  if (event.fields_size() > kMaxEventFields) {
    return Bad("events.fields", absl::StrCat("are ", event.fields_size(), ", at most ",
                                             kMaxEventFields, " are allowed"));
  }
  for (const v1::Event::Field& field : event.fields()) {
    ZC_RETURN_IF_ERROR(CheckWord("events.fields.name", field.name()));
    ZC_RETURN_IF_ERROR(CheckText("events.fields.value", field.value(), kMaxEventValue));
  }
  return absl::OkStatus();
}

absl::Status CheckEvents(const v1::EventBatch& batch) {
  if (batch.events_size() == 0 || batch.events_size() > kMaxEvents) {
    return Bad("events",
               absl::StrCat("are ", batch.events_size(), ", 1 to ", kMaxEvents, " are allowed"));
  }
  uint64_t before = batch.events(0).number() - 1;  // of 0: the greatest, which is refused below
  for (const v1::Event& event : batch.events()) {
    if (event.number() == 0 || event.number() > kMaxEventNumber || event.number() != before + 1) {
      return Bad("events.number", absl::StrCat(event.number(), " follows ", before,
                                               "; numbers begin at 1 and have no gaps"));
    }
    before = event.number();
    ZC_RETURN_IF_ERROR(CheckEvent(event));
  }
  return absl::OkStatus();
}

absl::Status CheckProgress(const v1::RequestProgress& progress) {
  if (progress.id() == 0) return Bad("progress.id", "is missing");
  if (progress.has_end() && (progress.end().code() < 0 || progress.end().code() > kLastCode)) {
    return Bad("progress.end.code", absl::StrCat(progress.end().code(), " is no code of gRPC's"));
  }
  return CheckBounds(progress);
}

absl::Status CheckCertificateRequest(const v1::CertificateRequest& request) {
  if (request.request().empty()) return Bad("certificate_request.request", "is missing");
  return CheckText("certificate_request.request", request.request(), kMaxRequest);
}

}  // namespace

absl::Status CheckMessage(const v1::AgentMessage& message) {
  switch (message.kind_case()) {
    case v1::AgentMessage::kHello:
      return CheckHello(message.hello());
    case v1::AgentMessage::kReport:
      return CheckBounds(message.report());
    case v1::AgentMessage::kEvents:
      return CheckEvents(message.events());
    case v1::AgentMessage::kProgress:
      return CheckProgress(message.progress());
    case v1::AgentMessage::kFlows:
      return CheckBounds(message.flows());
    case v1::AgentMessage::kCertificateRequest:
      return CheckCertificateRequest(message.certificate_request());
    case v1::AgentMessage::KIND_NOT_SET:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace zcluster::controller
