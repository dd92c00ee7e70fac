// SPDX-License-Identifier: Apache-2.0
#include "common/access/client.h"

#include <utility>

namespace zcluster::access {

void Client::LetIn(std::shared_ptr<AdmittedCall> call) {
  call_ = std::move(call);
  call_->OnRevoked([weak = weak_from_this()](const absl::Status& why) {
    if (const std::shared_ptr<Client> self = weak.lock()) self->Cut(why);
  });
}

}  // namespace zcluster::access
