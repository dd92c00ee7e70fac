// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/token_book.h"

#include <openssl/rand.h>

#include <array>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file.h"
#include "common/status.h"

namespace zcluster::bootstrap {
namespace {

constexpr int kMostWrong = 5;
constexpr absl::Duration kRemembered = absl::Hours(24);
constexpr size_t kMaxFile = 4096;
constexpr size_t kHashBytes = 32;
constexpr char kMakeOne[] = "make one on that node: zctl node token";
// As the file has it; in the order of End.
constexpr std::array<absl::string_view, 4> kEnds = {"used", "expired", "replaced", "wrong_tries"};

bool ReadHash(absl::string_view text, std::string& hash) {
  hash = absl::HexStringToBytes(text);
  return hash.size() == kHashBytes && absl::BytesToHexString(hash) == text;
}

bool ReadTime(absl::string_view text, absl::Time& time) {
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(text, &seconds)) return false;
  time = absl::FromUnixSeconds(seconds);
  return true;
}

}  // namespace

absl::StatusOr<TokenBook> TokenBook::Open(std::string path) {
  TokenBook book(std::move(path));
  const absl::StatusOr<std::string> text = ReadFile(book.path_, kMaxFile);
  if (absl::IsNotFound(text.status())) return book;
  ZC_RETURN_IF_ERROR(text.status());
  if (!book.Read(*text)) {
    return absl::FailedPreconditionError(
        absl::StrCat(book.path_, ": is damaged; remove it, and make a new token if one was made"));
  }
  return book;
}

// Two lines at most: "live HASH EXPIRES WRONG" and "ended HASH WHEN HOW"; times in seconds since
// 1970.
bool TokenBook::Read(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    if (words.size() != 4) return false;
    if (words[0] == "live") {
      Live live;
      if (!ReadHash(words[1], live.hash) || !ReadTime(words[2], live.expires) ||
          !absl::SimpleAtoi(words[3], &live.wrong) || live.wrong < 0 || live.wrong >= kMostWrong) {
        return false;
      }
      live_ = live;
    } else if (words[0] == "ended") {
      Ended ended;
      size_t how = 0;
      while (how < kEnds.size() && kEnds[how] != words[3]) ++how;
      if (!ReadHash(words[1], ended.hash) || !ReadTime(words[2], ended.when) ||
          how == kEnds.size()) {
        return false;
      }
      ended.how = static_cast<End>(how);
      ended_ = ended;
    } else {
      return false;
    }
  }
  return true;
}

absl::Status TokenBook::Write() const {
  std::string text;
  if (live_.has_value()) {
    absl::StrAppend(&text, "live ", absl::BytesToHexString(live_->hash), " ",
                    absl::ToUnixSeconds(live_->expires), " ", live_->wrong, "\n");
  }
  if (ended_.has_value()) {
    absl::StrAppend(&text, "ended ", absl::BytesToHexString(ended_->hash), " ",
                    absl::ToUnixSeconds(ended_->when), " ", kEnds[static_cast<size_t>(ended_->how)],
                    "\n");
  }
  return WriteFileDurably(path_, text, 0600);
}

absl::StatusOr<std::string> TokenBook::Make(absl::Duration lifetime, absl::Time now) {
  std::string secret(token::kSecretBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()),
                 static_cast<int>(secret.size())) != 1) {
    return absl::InternalError("the system gives no random numbers for a token");
  }
  const TokenBook before = *this;
  if (live_.has_value()) {
    ended_ = Ended{live_->hash, now, now < live_->expires ? End::kReplaced : End::kExpired};
  }
  live_ = Live{token::HashOf(secret), now + lifetime};
  if (absl::Status written = Write(); !written.ok()) {
    *this = before;
    return written;
  }
  return secret;
}

absl::Status TokenBook::Finish(End how, absl::Time now) {
  ended_ = Ended{live_->hash, now, how};
  live_.reset();
  return Write();
}

absl::Status TokenBook::WhyEnded(End how) {
  switch (how) {
    case End::kUsed:
      return absl::UnauthenticatedError(
          absl::StrCat("the token was used already, and is good only once; ", kMakeOne));
    case End::kExpired:
      return absl::UnauthenticatedError(absl::StrCat("the token has expired; ", kMakeOne));
    case End::kReplaced:
      return absl::UnauthenticatedError(absl::StrCat(
          "the token was replaced by a newer one of that node; use that one, or ", kMakeOne));
    case End::kWrongTries:
      return absl::UnauthenticatedError(absl::StrCat(
          "the token was ended by five wrong tries: somebody may be guessing; ", kMakeOne));
  }
  return absl::InternalError("unknown end of a token");
}

absl::Status TokenBook::Use(absl::string_view proof, const token::Session& session,
                            absl::Time now) {
  if (live_.has_value() && now >= live_->expires) ZC_RETURN_IF_ERROR(Finish(End::kExpired, now));
  if (live_.has_value() &&
      token::SameProof(proof, token::ProofOf(token::Kind::kJoin, live_->hash, session))) {
    // On the disk before anybody is let in: a crash must not make it good again.
    return Finish(End::kUsed, now);
  }
  if (ended_.has_value() && now < ended_->when + kRemembered &&
      token::SameProof(proof, token::ProofOf(token::Kind::kJoin, ended_->hash, session))) {
    return WhyEnded(ended_->how);
  }
  if (!live_.has_value()) {
    return absl::UnauthenticatedError(absl::StrCat("that node has no token now; ", kMakeOne));
  }
  if (++live_->wrong < kMostWrong) {
    ZC_RETURN_IF_ERROR(Write());
    return absl::UnauthenticatedError(
        absl::StrCat("the token is wrong (is it of an older `zctl node token`?); ", kMakeOne));
  }
  ZC_RETURN_IF_ERROR(Finish(End::kWrongTries, now));
  return absl::UnauthenticatedError(absl::StrCat(
      "the token is wrong, and that was the fifth wrong try: it is ended; ", kMakeOne));
}

}  // namespace zcluster::bootstrap
