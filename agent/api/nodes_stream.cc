// SPDX-License-Identifier: Apache-2.0
#include "agent/api/nodes_stream.h"

#include <utility>

#include "common/access/grpc_status.h"

namespace zcluster::api {
namespace {

std::string WithoutAges(v1::NodesResponse nodes) {
  for (v1::Node& node : *nodes.mutable_nodes()) node.clear_age();
  return nodes.SerializeAsString();
}

}  // namespace

std::shared_ptr<NodesStream> NodesStream::Make() {
  std::shared_ptr<NodesStream> stream(new NodesStream);
  stream->self_ = stream;
  return stream;
}

void NodesStream::Show(v1::NodesResponse nodes) {
  std::string bare = WithoutAges(nodes);
  absl::MutexLock lock(&mutex_);
  if (end_ || bare == told_) return;
  told_ = std::move(bare);
  waiting_ = std::move(nodes);
  Advance();
}

void NodesStream::Close(const absl::Status& status) {
  Audit(status);
  Cut(status);
}

void NodesStream::Cut(const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  waiting_.reset();
  if (!end_) end_ = why;
  Advance();
}

bool NodesStream::open() const {
  absl::MutexLock lock(&mutex_);
  return !end_;
}

void NodesStream::OnWriteDone(bool) {
  absl::MutexLock lock(&mutex_);
  under_way_ = false;
  Advance();
}

void NodesStream::OnCancel() { Cut(absl::CancelledError("the client is gone")); }

void NodesStream::OnDone() { self_.reset(); }

void NodesStream::Advance() {
  if (under_way_ || finished_) return;
  if (waiting_) {
    writing_ = *std::move(waiting_);
    waiting_.reset();
    under_way_ = true;
    StartWrite(&writing_);
  } else if (end_) {
    finished_ = true;
    Finish(access::ToGrpc(*end_));
  }
}

}  // namespace zcluster::api
