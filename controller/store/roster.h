// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "common/sqlite.h"
#include "controller/store/records.h"

namespace zcluster::controller {

// Pairs, agents, tokens and operators in the file. Every error is the disk's. One thread.
class Roster {
 public:
  // `database` outlives this.
  static absl::StatusOr<Roster> Open(sqlite::Database& database);

  // In the order of their names.
  absl::StatusOr<Contents> Read();
  // Part of the caller's transaction, as is Advance().
  absl::Status Apply(const Change& change);

  // How far an agent's events are with us.
  struct Place {
    std::string journal;
    uint64_t taken = 0;
  };
  // Nothing if there is no such agent.
  absl::StatusOr<absl::optional<Place>> Find(const AgentId& agent);
  absl::Status Advance(const AgentId& agent, const Place& place);

 private:
  // Which of the statements.
  enum Sql {
    kPutPair,
    kPutPairLabel,
    kPutAgent,
    kPutToken,
    kPutTokenLabel,
    kPutOperator,
    kDropPair,
    kDropLabelsOfPair,
    kDropAgentsOfPair,
    kDropAgent,
    kDropToken,
    kDropLabelsOfToken,
    kDropOperator,
    kFind,
    kAdvance,
    kCount
  };
  static const char* TextOf(Sql sql);

  Roster(sqlite::Database& database, std::vector<sqlite::Statement> statements)
      : database_(&database), statements_(std::move(statements)) {}

  sqlite::Statement& Use(Sql sql) { return statements_[sql]; }
  // Each of them with `key` as its only value.
  absl::Status RunAll(std::initializer_list<Sql> all, const std::string& key);
  absl::Status PutLabels(Sql drop, Sql put, const std::string& key,
                         const std::map<std::string, std::string>& labels);

  absl::Status Do(const PutPair& put);
  absl::Status Do(const PutAgent& put);
  absl::Status Do(const PutToken& put);
  absl::Status Do(const PutOperator& put);
  absl::Status Do(const DropPair& drop);
  absl::Status Do(const DropAgent& drop);
  absl::Status Do(const DropToken& drop);
  absl::Status Do(const DropOperator& drop);

  sqlite::Database* database_;
  std::vector<sqlite::Statement> statements_;  // by Sql
};

}  // namespace zcluster::controller
