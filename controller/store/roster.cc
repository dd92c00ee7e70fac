// SPDX-License-Identifier: Apache-2.0
#include "controller/store/roster.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "controller/store/layout.h"

namespace zcluster::controller {
namespace {

using Labels = std::map<std::string, std::string>;

absl::Status ForEachRow(sqlite::Database& database, absl::string_view sql,
                        const std::function<absl::Status(const sqlite::Statement&)>& take) {
  ZC_ASSIGN_OR_RETURN(sqlite::Statement rows, database.Prepare(sql));
  while (true) {
    ZC_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return absl::OkStatus();
    ZC_RETURN_IF_ERROR(take(rows));
  }
}

absl::StatusOr<std::map<std::string, Labels>> ReadLabels(sqlite::Database& database,
                                                         absl::string_view sql) {
  std::map<std::string, Labels> labels;
  ZC_RETURN_IF_ERROR(ForEachRow(database, sql, [&](const sqlite::Statement& row) {
    labels[row.Text(0)][row.Text(1)] = row.Text(2);
    return absl::OkStatus();
  }));
  return labels;
}

// By name: the numbers of the enum are nobody's promise.
absl::StatusOr<access::Right> RightOf(absl::string_view name) {
  for (const access::Right right : {access::Right::kNone, access::Right::kViewer,
                                    access::Right::kOperator, access::Right::kAdmin}) {
    if (access::Name(right) == name) return right;
  }
  return absl::DataLossError(absl::StrCat("an operator's right is '", name, "', which is none"));
}

}  // namespace

const char* Roster::TextOf(Sql sql) {
  switch (sql) {
    case kPutPair:
      return "REPLACE INTO pairs(name, ca_key) VALUES(?, ?)";
    case kPutPairLabel:
      return "INSERT INTO pair_labels(pair, key, value) VALUES(?, ?, ?)";
    case kPutAgent:  // its journal stays as it is
      return "INSERT INTO agents(pair, node, key, enrolled, certificate_expires, journal, "
             "events_taken) VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET key = "
             "excluded.key, enrolled = excluded.enrolled, certificate_expires = "
             "excluded.certificate_expires";
    case kPutToken:
      return "REPLACE INTO tokens(hash, pair, made, expires, ended) "
             "VALUES(?, ?, ?, ?, ?)";
    case kPutTokenLabel:
      return "INSERT INTO token_labels(hash, key, value) VALUES(?, ?, ?)";
    case kPutOperator:
      return "REPLACE INTO operators(name, right, key) VALUES(?, ?, ?)";
    case kDropPair:
      return "DELETE FROM pairs WHERE name = ?";
    case kDropLabelsOfPair:
      return "DELETE FROM pair_labels WHERE pair = ?";
    case kDropAgentsOfPair:
      return "DELETE FROM agents WHERE pair = ?";
    case kDropAgent:
      return "DELETE FROM agents WHERE pair = ? AND node = ?";
    case kDropToken:
      return "DELETE FROM tokens WHERE hash = ?";
    case kDropLabelsOfToken:
      return "DELETE FROM token_labels WHERE hash = ?";
    case kDropOperator:
      return "DELETE FROM operators WHERE name = ?";
    case kFind:
      return "SELECT journal, events_taken FROM agents WHERE pair = ? AND node = ?";
    case kAdvance:
      return "UPDATE agents SET journal = ?3, events_taken = ?4 WHERE pair = ?1 AND node = ?2";
    case kCount:
      break;
  }
  return "";
}

absl::StatusOr<Roster> Roster::Open(sqlite::Database& database) {
  std::vector<sqlite::Statement> statements;
  for (int sql = 0; sql < kCount; ++sql) {
    ZC_ASSIGN_OR_RETURN(sqlite::Statement statement,
                        database.Prepare(TextOf(static_cast<Sql>(sql))));
    statements.push_back(std::move(statement));
  }
  return Roster(database, std::move(statements));
}

absl::StatusOr<Contents> Roster::Read() {
  Contents contents;
  ZC_ASSIGN_OR_RETURN(auto labels,
                      ReadLabels(*database_, "SELECT pair, key, value FROM pair_labels"));
  ZC_RETURN_IF_ERROR(
      ForEachRow(*database_, "SELECT name, ca_key FROM pairs ORDER BY name",
                 [&](const sqlite::Statement& row) {
                   contents.pairs.push_back({row.Text(0), row.Text(1), labels[row.Text(0)]});
                   return absl::OkStatus();
                 }));
  ZC_RETURN_IF_ERROR(ForEachRow(*database_,
                                "SELECT pair, node, key, enrolled, certificate_expires, journal, "
                                "events_taken FROM agents ORDER BY pair, node",
                                [&](const sqlite::Statement& row) {
                                  contents.agents.push_back({{row.Text(0), row.Text(1)},
                                                             row.Text(2),
                                                             TimeOf(row.Int(3)),
                                                             TimeOf(row.Int(4)),
                                                             row.Text(5),
                                                             NumberOf(row.Int(6))});
                                  return absl::OkStatus();
                                }));
  ZC_ASSIGN_OR_RETURN(labels, ReadLabels(*database_, "SELECT hash, key, value FROM token_labels"));
  ZC_RETURN_IF_ERROR(
      ForEachRow(*database_, "SELECT hash, pair, made, expires, ended FROM tokens ORDER BY hash",
                 [&](const sqlite::Statement& row) {
                   contents.tokens.push_back({row.Text(0), row.Text(1), labels[row.Text(0)],
                                              TimeOf(row.Int(2)), TimeOf(row.Int(3)), row.Text(4)});
                   return absl::OkStatus();
                 }));
  ZC_RETURN_IF_ERROR(ForEachRow(*database_, "SELECT name, right, key FROM operators ORDER BY name",
                                [&](const sqlite::Statement& row) -> absl::Status {
                                  const absl::StatusOr<access::Right> right = RightOf(row.Bytes(1));
                                  if (!right.ok())
                                    return Annotate(right.status(), database_->path());
                                  contents.operators.push_back({row.Text(0), *right, row.Text(2)});
                                  return absl::OkStatus();
                                }));
  return contents;
}

absl::Status Roster::Apply(const Change& change) {
  return std::visit([this](const auto& one) { return Do(one); }, change);
}

absl::Status Roster::RunAll(std::initializer_list<Sql> all, const std::string& key) {
  for (const Sql sql : all) ZC_RETURN_IF_ERROR(Use(sql).BindText(1, key).Run());
  return absl::OkStatus();
}

absl::Status Roster::PutLabels(Sql drop, Sql put, const std::string& key, const Labels& labels) {
  ZC_RETURN_IF_ERROR(RunAll({drop}, key));
  for (const auto& [name, value] : labels) {
    ZC_RETURN_IF_ERROR(Use(put).BindText(1, key).BindText(2, name).BindText(3, value).Run());
  }
  return absl::OkStatus();
}

absl::Status Roster::Do(const PutPair& put) {
  const PairRecord& pair = put.pair;
  ZC_RETURN_IF_ERROR(Use(kPutPair).BindText(1, pair.name).BindText(2, pair.ca_key).Run());
  return PutLabels(kDropLabelsOfPair, kPutPairLabel, pair.name, pair.labels);
}

absl::Status Roster::Do(const PutAgent& put) {
  const AgentRecord& agent = put.agent;
  return Use(kPutAgent)
      .BindText(1, agent.id.pair)
      .BindText(2, agent.id.node)
      .BindText(3, agent.key)
      .Bind(4, ToColumn(agent.enrolled))
      .Bind(5, ToColumn(agent.certificate_expires))
      .BindText(6, agent.journal)
      .Bind(7, ToColumn(agent.events_taken))
      .Run();
}

absl::Status Roster::Do(const PutToken& put) {
  const TokenRecord& token = put.token;
  ZC_RETURN_IF_ERROR(Use(kPutToken)
                         .BindText(1, token.hash)
                         .BindText(2, token.pair)
                         .Bind(3, ToColumn(token.made))
                         .Bind(4, ToColumn(token.expires))
                         .BindText(5, token.ended)
                         .Run());
  return PutLabels(kDropLabelsOfToken, kPutTokenLabel, token.hash, token.labels);
}

absl::Status Roster::Do(const PutOperator& put) {
  return Use(kPutOperator)
      .BindText(1, put.admitted.name)
      .BindText(2, access::Name(put.admitted.right))
      .BindText(3, put.admitted.key)
      .Run();
}

absl::Status Roster::Do(const DropPair& drop) {
  return RunAll({kDropAgentsOfPair, kDropLabelsOfPair, kDropPair}, drop.pair);
}

absl::Status Roster::Do(const DropAgent& drop) {
  return Use(kDropAgent).BindText(1, drop.agent.pair).BindText(2, drop.agent.node).Run();
}

absl::Status Roster::Do(const DropToken& drop) {
  return RunAll({kDropLabelsOfToken, kDropToken}, drop.hash);
}

absl::Status Roster::Do(const DropOperator& drop) { return RunAll({kDropOperator}, drop.name); }

absl::StatusOr<absl::optional<Roster::Place>> Roster::Find(const AgentId& agent) {
  sqlite::Statement& find = Use(kFind).BindText(1, agent.pair).BindText(2, agent.node);
  ZC_ASSIGN_OR_RETURN(const bool row, find.Step());
  if (!row) return absl::optional<Place>();
  Place place{find.Text(0), NumberOf(find.Int(1))};
  find.Reset();
  return absl::make_optional(std::move(place));
}

absl::Status Roster::Advance(const AgentId& agent, const Place& place) {
  return Use(kAdvance)
      .BindText(1, agent.pair)
      .BindText(2, agent.node)
      .BindText(3, place.journal)
      .Bind(4, ToColumn(place.taken))
      .Run();
}

}  // namespace zcluster::controller
