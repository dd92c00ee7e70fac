// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "agent/conntrack/batch.h"
#include "tests/agent/conntrack/node.h"
#include "zcluster/v1/conntrack.grpc.pb.h"

namespace zcluster::conntrack {

// A master that says whatever a test wants.
class RawMaster {
 public:
  explicit RawMaster(const Node& node, bool merges = false)
      : stub_(v1::ConntrackService::NewStub(
            grpc::CreateChannel(node.address(), grpc::InsecureChannelCredentials()))) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context_.set_wait_for_ready(true);
    stream_ = merges ? stub_->Merge(&context_) : stub_->Replicate(&context_);
  }

  // The next batch, as it should be.
  v1::FlowBatch Next(uint64_t term, const std::vector<Flow>& flows) {
    v1::FlowBatch batch;
    batch.set_term(term);
    batch.set_sequence(++sequence_);
    batch.set_snapshot_begins(sequence_ == 1);
    batch.set_snapshot_ends(sequence_ == 1);
    for (const Flow& flow : flows) Write(flow, *batch.add_flows());
    return batch;
  }

  // The number of the batch that the answer acknowledges; 0 if the stream ended.
  uint64_t Send(const v1::FlowBatch& batch) {
    v1::FlowAck ack;
    stream_->Write(batch);
    return stream_->Read(&ack) ? ack.sequence() : 0;
  }

  // Why it ended.
  grpc::Status End() {
    stream_->WritesDone();
    v1::FlowAck ack;
    while (stream_->Read(&ack)) {
    }
    return stream_->Finish();
  }

 private:
  std::unique_ptr<v1::ConntrackService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::FlowBatch, v1::FlowAck>> stream_;
  uint64_t sequence_ = 0;
};

}  // namespace zcluster::conntrack
