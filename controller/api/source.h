// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace zcluster::controller {

// What a client that stays is told, for as long as it stays. Loop thread.
class Source {
 public:
  virtual ~Source() = default;
  // Ends the client's stream.
  virtual void Close(const absl::Status& why) = 0;
};

// All that are there. Loop thread, or after the loop has ended.
class Sources {
 public:
  // Enough for every console and script of a large company; one gone wild gets no more.
  static constexpr size_t kMost = 256;

  // RESOURCE_EXHAUSTED if there is no room for one more.
  absl::Status Room() const {
    if (all_.size() < kMost) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        absl::StrCat(kMost, " others watch or follow already; end one of them"));
  }
  void Add(std::unique_ptr<Source> source) { all_.push_back(std::move(source)); }
  void Remove(const Source* source) {
    for (auto it = all_.begin(); it != all_.end(); ++it) {
      if (it->get() != source) continue;
      const std::unique_ptr<Source> dying = std::move(*it);
      all_.erase(it);
      return;
    }
  }
  // Removes it when it is called, if they are still there.
  static std::function<void()> Remover(const std::weak_ptr<Sources>& sources,
                                       const Source* source) {
    return [sources, source] {
      if (const std::shared_ptr<Sources> there = sources.lock()) there->Remove(source);
    };
  }
  void CloseAll(const absl::Status& why) {
    for (const std::unique_ptr<Source>& source : all_) source->Close(why);
    all_.clear();
  }

 private:
  std::vector<std::unique_ptr<Source>> all_;
};

}  // namespace zcluster::controller
