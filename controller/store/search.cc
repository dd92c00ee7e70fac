// SPDX-License-Identifier: Apache-2.0
#include "controller/store/search.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "controller/store/layout.h"

namespace zcluster::controller {
namespace {

// The most that one answer has: ten thousand events of the usual 200 bytes are far from it, and as
// many of the largest that we take would be 600 MB.
constexpr size_t kMostEvents = 10'000;
constexpr size_t kMostBytes = 16 << 20;

// Names the index, for a plan that we did not foresee shall be an error and no slow answer.
std::string SqlOf(const Store::Query& query, bool of_pair) {
  const char* index = query.warnings
                          ? (of_pair ? "INDEXED BY warnings_of_pair" : "INDEXED BY warnings")
                          : (of_pair ? "INDEXED BY events_of_pair" : "NOT INDEXED");
  return absl::StrCat("SELECT number FROM events ", index, " WHERE number >= ?1",
                      query.since == absl::InfinitePast() ? "" : " AND received > ?2",
                      query.warnings ? " AND warning = 1" : "", of_pair ? " AND pair = ?3" : "",
                      " ORDER BY number ", query.newest ? "DESC" : "ASC", " LIMIT ?4");
}

}  // namespace

absl::StatusOr<Search> Search::Open(const std::string& path) {
  ZC_ASSIGN_OR_RETURN(sqlite::Database database, OpenFile(path));
  ZC_RETURN_IF_ERROR(database.Execute("PRAGMA query_only=1"));
  return Search(std::move(database));
}

void Search::Stop() {
  *stopped_ = true;
  database_.Interrupt();
}

absl::Status Search::CheckStopped() const {
  return *stopped_ ? absl::CancelledError("the controller is stopping") : absl::OkStatus();
}

absl::StatusOr<std::vector<v1::FleetEvent>> Search::Find(const Store::Query& query) {
  ZC_ASSIGN_OR_RETURN(const sqlite::Transaction view, sqlite::Transaction::ToRead(database_));
  ZC_ASSIGN_OR_RETURN(std::vector<int64_t> numbers, NumbersOf(query));
  // The nearest first: where not all can be given, it is the farthest that are left out.
  if (query.newest) {
    std::sort(numbers.begin(), numbers.end(), std::greater<>());
  } else {
    std::sort(numbers.begin(), numbers.end());
  }
  ZC_ASSIGN_OR_RETURN(std::vector<v1::FleetEvent> events, Fetch(numbers));
  if (query.newest) std::reverse(events.begin(), events.end());
  return events;
}

// Clocks jump, so that what came later in the file may have the earlier time: the index of times
// says only where to begin, and each event's own time decides.
absl::StatusOr<int64_t> Search::FirstSince(int64_t since) {
  ZC_ASSIGN_OR_RETURN(sqlite::Statement first,
                      database_.Prepare("SELECT min(number) FROM events INDEXED BY events_by_time "
                                        "WHERE received > ?"));
  ZC_ASSIGN_OR_RETURN(const bool row, first.Bind(1, since).Step());
  const int64_t number = row ? first.Int(0) : 0;
  return number == 0 ? std::numeric_limits<int64_t>::max() : number;
}

absl::StatusOr<std::vector<int64_t>> Search::NumbersOf(const Store::Query& query) {
  std::vector<int64_t> numbers;
  const size_t limit = std::min(query.limit, kMostEvents);
  constexpr uint64_t kLast = std::numeric_limits<int64_t>::max();
  if (limit == 0 || query.after >= kLast) return numbers;
  int64_t from = static_cast<int64_t>(query.after) + 1;
  const int64_t since = ToColumn(query.since);
  if (query.since != absl::InfinitePast()) {
    ZC_ASSIGN_OR_RETURN(const int64_t first, FirstSince(since));
    from = std::max(from, first);
  }

  ZC_ASSIGN_OR_RETURN(sqlite::Statement next,
                      database_.Prepare(SqlOf(query, /*of_pair=*/!query.pairs.empty())));
  next.Bind(1, from).Bind(4, static_cast<int64_t>(limit));
  if (query.since != absl::InfinitePast()) next.Bind(2, since);

  // A heap of the nearest so far, the farthest on top. Each pair's come nearest first, so that one
  // that is farther than all of a full heap ends its pair.
  const auto nearer = [&query](int64_t a, int64_t b) { return query.newest ? a > b : a < b; };
  const auto take_all = [&]() -> absl::Status {
    while (true) {
      ZC_RETURN_IF_ERROR(CheckStopped());
      ZC_ASSIGN_OR_RETURN(const bool row, next.Step());
      if (!row) return absl::OkStatus();
      const int64_t number = next.Int(0);
      if (numbers.size() == limit) {
        if (!nearer(number, numbers.front())) break;
        std::pop_heap(numbers.begin(), numbers.end(), nearer);
        numbers.pop_back();
      }
      numbers.push_back(number);
      std::push_heap(numbers.begin(), numbers.end(), nearer);
    }
    next.Reset();
    return absl::OkStatus();
  };
  if (query.pairs.empty()) {
    ZC_RETURN_IF_ERROR(take_all());
  }
  for (const std::string& pair : std::set<std::string>(query.pairs.begin(), query.pairs.end())) {
    next.BindText(3, pair);
    ZC_RETURN_IF_ERROR(take_all());
  }
  return numbers;
}

absl::StatusOr<std::vector<v1::FleetEvent>> Search::Fetch(const std::vector<int64_t>& numbers) {
  ZC_ASSIGN_OR_RETURN(
      sqlite::Statement get,
      database_.Prepare("SELECT pair, node, received, event FROM events WHERE number = ?"));
  std::vector<v1::FleetEvent> events;
  size_t bytes = 0;
  for (const int64_t number : numbers) {
    ZC_RETURN_IF_ERROR(CheckStopped());
    ZC_ASSIGN_OR_RETURN(const bool row, get.Bind(1, number).Step());
    const absl::string_view serialized = row ? get.Bytes(3) : absl::string_view();
    bytes += serialized.size();
    if (bytes > kMostBytes && !events.empty()) break;
    v1::FleetEvent& event = events.emplace_back();
    event.set_number(static_cast<uint64_t>(number));
    event.set_pair(get.Text(0));
    event.set_node(get.Text(1));
    *event.mutable_received() = ProtoOf(TimeOf(get.Int(2)));
    if (!row || !event.mutable_event()->ParseFromArray(serialized.data(),
                                                       static_cast<int>(serialized.size()))) {
      return absl::DataLossError(
          absl::StrCat(database_.path(), ": event ", number, " is damaged; restore a backup"));
    }
    get.Reset();
  }
  return events;
}

}  // namespace zcluster::controller
