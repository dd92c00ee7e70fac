// SPDX-License-Identifier: Apache-2.0
#include "controller/core/order.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/status.h"
#include "common/strings.h"
#include "controller/core/names.h"

namespace zcluster::controller {
namespace {

constexpr uint32_t kDefaultPage = 500;
constexpr uint32_t kMaxPage = 1000;
// A client's gRPC takes 4 MiB at once; a pair is 600 bytes, but may be 10 KiB.
constexpr size_t kMaxPageBytes = 2 << 20;
// Of the text that says where a page ends: an order, a place, and names of at most 63.
constexpr size_t kMaxPageText = 1024;

// FNV-1a: holds a page's text to its selector and order. Against mistakes, not against malice:
// whoever forges one sees pairs that it may see anyway.
uint64_t HashOf(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string Belonging(const v1::ListPairsRequest& request) {
  return absl::StrCat(
      absl::Hex(HashOf(absl::StrCat(request.order(), "\n", request.selector())), absl::kZeroPad16));
}

// The parts may hold anything but a newline: labels and names are checked before they come here.
std::string Encode(const v1::ListPairsRequest& request, const Order::Place& place) {
  return absl::WebSafeBase64Escape(
      absl::StrCat(Belonging(request), "\n", place.number, "\n", place.text, "\n", place.name));
}

absl::StatusOr<Order::Place> Decode(const v1::ListPairsRequest& request) {
  std::string text;
  if (request.page().size() > kMaxPageText || !absl::WebSafeBase64Unescape(request.page(), &text))
    return absl::InvalidArgumentError("page: is not what an answer's next_page said");
  const std::vector<std::string> parts = absl::StrSplit(text, '\n');
  Order::Place place;
  if (parts.size() != 4 || !absl::SimpleAtoi(parts[1], &place.number))
    return absl::InvalidArgumentError("page: is not what an answer's next_page said");
  if (parts[0] != Belonging(request)) {
    return absl::InvalidArgumentError(
        "page: is of another selector or order; begin again with the first page");
  }
  place.text = parts[2];
  place.name = parts[3];
  return place;
}

template <typename T>
int Sign(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

int Badness(v1::Status status) {
  switch (status) {
    case v1::STATUS_RED:
      return 0;
    case v1::STATUS_ORANGE:
      return 2;
    case v1::STATUS_GREEN:
      return 3;
    default:  // GREY, and what a newer program may say
      return 1;
  }
}

absl::StatusOr<Order> Order::Parse(absl::string_view text) {
  Order order;
  absl::string_view rest = text;
  order.reversed_ = absl::ConsumePrefix(&rest, "-");
  if (absl::ConsumePrefix(&rest, "label:")) {
    order.by_ = By::kLabel;
    order.label_ = std::string(rest);
    ZC_RETURN_IF_ERROR(Annotate(CheckLabel(rest, ""), "order"));
  } else if (rest == "status") {
    order.by_ = By::kStatus;
  } else if (rest == "flows") {
    order.by_ = By::kFlows;
  } else if (rest == "term") {
    order.by_ = By::kTerm;
  } else if (rest == "master") {
    order.by_ = By::kMaster;
  } else if (rest != "name" && !text.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "order: is '", Printable(text.substr(0, 80)),
        "'; expected name, status, flows, term, master or label:KEY, reversed with '-' before it"));
  }
  return order;
}

uint64_t Order::NumberOf(const v1::PairSummary& pair) const {
  switch (by_) {
    case By::kStatus:
      return static_cast<uint64_t>(Badness(pair.status()));
    case By::kFlows:
      return pair.flows();
    case By::kTerm:
      return pair.term();
    case By::kName:
    case By::kMaster:
    case By::kLabel:
      return 0;
  }
  return 0;
}

absl::string_view Order::TextOf(const v1::PairSummary& pair) const {
  if (by_ == By::kName) return pair.name();
  if (by_ == By::kMaster) return pair.master();
  if (by_ != By::kLabel) return "";
  const auto label = pair.labels().find(label_);
  return label == pair.labels().end() ? "" : absl::string_view(label->second);
}

int Order::Compare(uint64_t number, absl::string_view text, absl::string_view name,
                   const v1::PairSummary& b) const {
  int sign = Sign(number, NumberOf(b));
  if (sign == 0) sign = Sign(text, TextOf(b));
  if (reversed_) sign = -sign;
  return sign != 0 ? sign : Sign(name, absl::string_view(b.name()));
}

bool Order::Before(const v1::PairSummary& a, const v1::PairSummary& b) const {
  return Compare(NumberOf(a), TextOf(a), a.name(), b) < 0;
}

Order::Place Order::PlaceOf(const v1::PairSummary& pair) const {
  return {NumberOf(pair), std::string(TextOf(pair)), pair.name()};
}

bool Order::Before(const Place& a, const v1::PairSummary& b) const {
  return Compare(a.number, a.text, a.name, b) < 0;
}

absl::StatusOr<Page> PageOf(std::vector<const v1::PairSummary*> pairs,
                            const v1::ListPairsRequest& request) {
  if (request.page_size() > kMaxPage) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size: is ", request.page_size(), "; at most ", kMaxPage));
  }
  const size_t size = request.page_size() == 0 ? kDefaultPage : request.page_size();
  ZC_ASSIGN_OR_RETURN(const Order order, Order::Parse(request.order()));
  if (!request.page().empty()) {
    ZC_ASSIGN_OR_RETURN(const Order::Place after, Decode(request));
    pairs.erase(std::remove_if(pairs.begin(), pairs.end(),
                               [&](const auto* pair) { return !order.Before(after, *pair); }),
                pairs.end());
  }
  const size_t all = pairs.size();
  auto end = pairs.begin() + static_cast<std::ptrdiff_t>(std::min(size, all));
  std::partial_sort(pairs.begin(), end, pairs.end(),
                    [&order](const auto* a, const auto* b) { return order.Before(*a, *b); });
  size_t bytes = 0;
  end = std::find_if(pairs.begin(), end, [&bytes](const auto* pair) {
    return (bytes += pair->ByteSizeLong()) > kMaxPageBytes;
  });
  pairs.erase(end, pairs.end());
  Page page;
  if (pairs.size() < all) page.next = Encode(request, order.PlaceOf(*pairs.back()));
  page.pairs = std::move(pairs);
  return page;
}

}  // namespace zcluster::controller
