// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "common/loop.h"

namespace zcluster::controller {

// Whoever wants to hear of something. Loop thread. A subscriber may subscribe, or leave, while it
// or another is told.
template <typename... Args>
class Subscribers {
 public:
  using Tell = std::function<void(Args...)>;

  // Told until the registration is gone, which may outlive this object.
  [[nodiscard]] Loop::Registration Add(Tell tell) {
    const uint64_t id = ++last_;
    (*all_)[id] = std::make_shared<Tell>(std::move(tell));
    return std::make_unique<Entry>(all_, id);
  }

  void operator()(Args... args) const {
    std::vector<uint64_t> ids;
    for (const auto& [id, tell] : *all_) ids.push_back(id);
    for (const uint64_t id : ids) {
      const auto found = all_->find(id);
      if (found == all_->end()) continue;
      const std::shared_ptr<Tell> tell = found->second;  // it may leave while it is told
      (*tell)(args...);
    }
  }

  size_t size() const { return all_->size(); }

 private:
  using All = std::map<uint64_t, std::shared_ptr<Tell>>;
  class Entry : public Loop::Handle {
   public:
    Entry(std::weak_ptr<All> all, uint64_t id) : all_(std::move(all)), id_(id) {}
    ~Entry() override {
      if (const std::shared_ptr<All> all = all_.lock()) all->erase(id_);
    }

   private:
    const std::weak_ptr<All> all_;
    const uint64_t id_;
  };

  const std::shared_ptr<All> all_ = std::make_shared<All>();
  uint64_t last_ = 0;
};

}  // namespace zcluster::controller
