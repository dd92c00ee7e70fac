// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/journals.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// The most that an agent gives at once.
constexpr uint64_t kPage = 256;
// Questions that measure the clock alone: the one that was on its way the shortest time counts.
constexpr int kReadings = 5;
// A page is at hand or not; the asked node waits two seconds for its peer.
constexpr std::chrono::seconds kPatience(4);

void TakeClock(const v1::EventsPage& page, NodeJournal& journal) {
  if (!page.has_clock_ahead()) return;
  const ClockAhead read{ToAbsl(page.clock_ahead()), ToAbsl(page.clock_uncertainty())};
  if (!journal.clock || read.uncertainty < journal.clock->uncertainty) journal.clock = read;
}

grpc::Status ReadPage(const Channel& channel, const NodeJournal& journal, uint64_t after,
                      uint64_t limit, v1::EventsPage& page) {
  grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::EventsRequest request;
  request.set_peer(!journal.local);
  request.set_after(after);
  request.set_limit(static_cast<uint32_t>(std::min(limit, kPage)));
  page.Clear();
  return v1::ClusterService::NewStub(channel)->Events(&call, request, &page);
}

// The events with numbers from `from` to before `to`; fewer if some are gone by now.
grpc::Status ReadRange(const Channel& channel, NodeJournal& journal, uint64_t from, uint64_t to,
                       std::vector<v1::Event>& events) {
  v1::EventsPage page;
  while (from < to) {
    const grpc::Status status = ReadPage(channel, journal, from - 1, to - from, page);
    if (!status.ok()) return status;
    TakeClock(page, journal);
    if (page.events().empty() || page.events().rbegin()->number() < from) break;
    from = page.events().rbegin()->number() + 1;
    std::move(page.mutable_events()->begin(), page.mutable_events()->end(),
              std::back_inserter(events));
  }
  return grpc::Status::OK;
}

// Backwards, a page at a time: how many lie between `since` and now is not known before.
grpc::Status ReadNewest(const Channel& channel, NodeJournal& journal, absl::Time since,
                        size_t limit) {
  v1::EventsPage page;
  for (int i = 0; i < (journal.local ? 1 : kReadings); ++i) {
    const grpc::Status status =
        ReadPage(channel, journal, std::numeric_limits<uint64_t>::max(), 1, page);
    if (!status.ok()) return status;
    TakeClock(page, journal);
  }
  journal.node = page.node();
  journal.id = page.journal();
  journal.last = page.last();
  const uint64_t first = std::max<uint64_t>(page.first(), 1);
  for (uint64_t end = page.last() + 1; end > first && journal.events.size() < limit;) {
    const uint64_t wanted = std::min<uint64_t>(kPage, limit - journal.events.size());
    const uint64_t begin = end - std::min(end - first, wanted);
    std::vector<v1::Event> events;
    const grpc::Status status = ReadRange(channel, journal, begin, end, events);
    if (!status.ok()) return status;
    const auto recent = std::find_if(events.begin(), events.end(), [&](const v1::Event& event) {
      return journal.At(event) >= since;
    });
    const bool all = recent == events.begin() && !events.empty();
    journal.events.insert(journal.events.begin(), std::make_move_iterator(recent),
                          std::make_move_iterator(events.end()));
    if (!all) break;
    end = begin;
  }
  return grpc::Status::OK;
}

}  // namespace

absl::Time NodeJournal::At(const v1::Event& event) const {
  return ToAbsl(event.at()) - (clock ? clock->ahead : absl::ZeroDuration());
}

absl::StatusOr<std::vector<NodeJournal>> ReadJournals(Context& context, absl::Time since,
                                                      size_t limit) {
  std::vector<NodeJournal> journals(2);
  journals[0].local = true;
  ZC_RETURN_IF_ERROR(Ask(context, [&](const Channel& channel, grpc::ClientContext*) {
    return ReadNewest(channel, journals[0], since, limit);
  }));
  const grpc::Status other = ReadNewest(context.channel, journals[1], since, limit);
  if (!other.ok()) {
    journals[1].problem = other.error_message();
    journals[1].events.clear();
  }
  return journals;
}

grpc::Status ReadOn(const Channel& channel, NodeJournal& journal) {
  v1::EventsPage page;
  journal.events.clear();
  journal.problem.clear();
  if (journal.id.empty()) {  // it could not be asked until now
    const grpc::Status status = ReadNewest(channel, journal, absl::InfinitePast(), kPage);
    if (!status.ok()) journal.problem = status.error_message();
    return status;
  }
  grpc::Status status = ReadPage(channel, journal, journal.last, kPage, page);
  if (status.ok() && page.journal() != journal.id) {
    journal.id = page.journal();
    journal.last = 0;
    status = ReadPage(channel, journal, 0, kPage, page);
  }
  journal.problem = status.ok() ? "" : status.error_message();
  if (!status.ok()) return status;
  journal.node = page.node();
  TakeClock(page, journal);
  std::move(page.mutable_events()->begin(), page.mutable_events()->end(),
            std::back_inserter(journal.events));
  if (!journal.events.empty()) journal.last = journal.events.back().number();
  return status;
}

std::vector<Happening> Merge(const std::vector<NodeJournal>& journals) {
  std::vector<Happening> merged;
  for (const NodeJournal& journal : journals) {
    std::vector<Happening> own;
    for (const v1::Event& event : journal.events) own.push_back({&journal, &event});
    std::vector<Happening> both;
    std::merge(merged.begin(), merged.end(), own.begin(), own.end(), std::back_inserter(both),
               [](const Happening& a, const Happening& b) { return a.At() < b.At(); });
    merged = std::move(both);
  }
  return merged;
}

Json JournalsJson(const std::vector<NodeJournal>& journals) {
  std::vector<Json> list;
  for (const NodeJournal& journal : journals) {
    const auto& clock = journal.clock;
    list.push_back(Json::Object(
        {{"node", Json::String(journal.node)},
         {"local", Json::Bool(journal.local)},
         {"clock_ahead_ms", clock ? Json::Milliseconds(clock->ahead) : Json::Null()},
         {"clock_uncertainty_ms", clock ? Json::Milliseconds(clock->uncertainty) : Json::Null()},
         {"problem", Json::String(journal.problem)}}));
  }
  return Json::List(std::move(list));
}

std::string ClockText(const NodeJournal& journal) {
  if (!journal.clock) return "clock not measured";
  const absl::Duration ahead = absl::Trunc(journal.clock->ahead, absl::Microseconds(1));
  return absl::StrCat(
      "clock ", absl::FormatDuration(absl::AbsDuration(ahead)),
      ahead < absl::ZeroDuration() ? " behind" : " ahead", ", give or take ",
      absl::FormatDuration(absl::Trunc(journal.clock->uncertainty, absl::Microseconds(1))));
}

}  // namespace zcluster::ctl
