// SPDX-License-Identifier: Apache-2.0
// zctl fleet watch: the pairs now, and each again when it changes.
#include <google/protobuf/util/message_differencer.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "ctl/output/figures.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/fleet_pairs.h"
#include "ctl/verbs/fleet_words.h"
#include "ctl/verbs/look_on.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// Of a terminal that does not tell its size.
constexpr size_t kUsualRows = 24;
// Title, blank line, header, and the line where the cursor stands.
constexpr size_t kOtherRows = 4;

size_t RowsOf(int fd) {
  winsize size{};
  const bool known = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
  const size_t rows = known ? size.ws_row : kUsualRows;
  return rows > kOtherRows ? rows - kOtherRows : 1;
}

using Pairs = std::map<std::string, v1::PairSummary>;

// What an operator sees has changed. Ages grow all the time, and flows are counted elsewhere.
bool LooksTheSame(v1::PairSummary one, v1::PairSummary other) {
  for (v1::PairSummary* pair : {&one, &other}) {
    pair->clear_flows();
    for (v1::FleetNode& node : *pair->mutable_nodes()) node.clear_age();
  }
  return google::protobuf::util::MessageDifferencer::Equals(one, other);
}

// The pairs as they were told, over all streams.
class Watched {
 public:
  // A new stream tells of all again, before it tells of changes.
  void Begin() {
    coming_.clear();
    complete_ = false;
  }

  // What is another than before; what stays as it was is not told again.
  v1::PairChanges Take(const v1::PairChanges& told) {
    v1::PairChanges changes;
    for (const v1::PairSummary& pair : told.pairs()) {
      if (!complete_ && coming_.size() < kMaxPairs) coming_[pair.name()] = true;
      const auto known = pairs_.find(pair.name());
      if (known != pairs_.end() && LooksTheSame(known->second, pair)) {
        known->second = pair;  // its figures
        continue;
      }
      if (known == pairs_.end() && pairs_.size() >= kMaxPairs) continue;
      pairs_[pair.name()] = pair;
      *changes.add_pairs() = pair;
    }
    for (const std::string& name : told.gone()) Drop(name, changes);
    if (told.complete() && !complete_) Complete(changes);
    return changes;
  }

  bool complete() const { return complete_; }
  const Pairs& pairs() const { return pairs_; }

 private:
  void Drop(const std::string& name, v1::PairChanges& changes) {
    coming_.erase(name);
    if (pairs_.erase(name) > 0) changes.add_gone(name);
  }
  // What was there before the stream and was not told by it is gone.
  void Complete(v1::PairChanges& changes) {
    complete_ = true;
    std::vector<std::string> gone;
    for (const auto& [name, pair] : pairs_) {
      if (coming_.count(name) == 0) gone.push_back(name);
    }
    for (const std::string& name : gone) Drop(name, changes);
    coming_.clear();
  }

  Pairs pairs_;
  std::map<std::string, bool> coming_;  // told by this stream, until it is complete
  bool complete_ = false;
};

// The worst first, as many as fit.
std::string Screen(const Context& context, const Pairs& pairs) {
  std::vector<const v1::PairSummary*> worst;
  Tally tally;
  for (const auto& [name, pair] : pairs) {
    worst.push_back(&pair);
    tally.Add(pair.status());
  }
  std::stable_sort(worst.begin(), worst.end(), [](const auto* one, const auto* other) {
    return Rank(one->status()) < Rank(other->status());
  });
  const size_t rows = RowsOf(context.out_fd);
  Table table = PairsTable();
  for (size_t i = 0; i < std::min(rows, worst.size()); ++i) AddPair(*worst[i], table);
  return absl::StrCat(CountOf(worst.size(), "pair"), worst.empty() ? "" : ": ",
                      tally.Text(context.style), ", ", Date(absl::Now()), " (Ctrl-C ends)\n\n",
                      table.Render(context.style));
}

class Shown {
 public:
  explicit Shown(Context& context) : context_(context), on_terminal_(OnTerminal(context)) {}

  void Show(const v1::PairChanges& changes, const Watched& watched) {
    if (on_terminal_) {
      if (!watched.complete()) return;  // half a fleet looks like a disaster
      context_.out << Frame(Screen(context_, watched.pairs()), first_) << std::flush;
      first_ = false;
    } else if (!changes.pairs().empty() || !changes.gone().empty()) {
      ForPrograms(context_) ? Object(changes) : Lines(changes);
    }
  }

 private:
  void Object(const v1::PairChanges& changes) {
    if (context_.format == Format::kYaml && !first_) context_.out << "---\n";
    first_ = false;
    std::vector<Json> pairs;
    for (const v1::PairSummary& pair : changes.pairs()) pairs.push_back(PairJson(pair));
    Print(context_,
          Json::Object({{"at", Json::Time(absl::Now())},
                        {"pairs", Json::List(std::move(pairs))},
                        {"gone", Json::Strings({changes.gone().begin(), changes.gone().end()})}}));
  }

  void Lines(const v1::PairChanges& changes) {
    const std::string at = Date(absl::Now());
    for (const v1::PairSummary& pair : changes.pairs()) {
      context_.out << at << "  "
                   << Sanitise(absl::StrCat(
                          pair.name(), "  ", Word(pair.status()), "  ",
                          pair.master().empty() ? "no master" : "master " + pair.master(), "  ",
                          pair.ready() ? "ready" : "not ready", "  ", pair.message()))
                   << '\n';
    }
    for (const std::string& name : changes.gone()) {
      context_.out << at << "  " << Sanitise(name) << "  gone\n";
    }
    context_.out << std::flush;
  }

  Context& context_;
  const bool on_terminal_;
  bool first_ = true;
};

}  // namespace

ExitCode FleetWatch(Context& context) {
  v1::WatchPairsRequest request;
  request.set_selector(context.Value("--selector"));
  LookingOn looking(context);
  Watched watched;
  Shown shown(context);
  return looking.Run([&](const Channel& channel, grpc::ClientContext* call) {
    watched.Begin();
    const auto reader = v1::FleetService::NewStub(channel)->Watch(call, request);
    v1::PairChanges told;
    while (reader->Read(&told)) {
      looking.Heard();
      shown.Show(watched.Take(told), watched);
    }
    return reader->Finish();
  });
}

}  // namespace zcluster::ctl
