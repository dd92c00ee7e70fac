// SPDX-License-Identifier: Apache-2.0
#include "controller/store/store.h"

#include <utility>

#include "common/sqlite.h"
#include "common/status.h"
#include "controller/store/history.h"
#include "controller/store/layout.h"
#include "controller/store/reader.h"
#include "controller/store/roster.h"
#include "controller/store/search.h"
#include "controller/store/writer.h"

namespace zcluster::controller {
namespace {

// The file, and a thread for each direction.
class SqliteStore : public Store {
 public:
  static absl::StatusOr<std::unique_ptr<Store>> Open(Loop& loop, const Options& options) {
    std::unique_ptr<SqliteStore> store(new SqliteStore);
    ZC_ASSIGN_OR_RETURN(sqlite::Database database, OpenFile(options.path));
    store->database_ = std::make_unique<sqlite::Database>(std::move(database));
    ZC_ASSIGN_OR_RETURN(Roster roster, Roster::Open(*store->database_));
    ZC_ASSIGN_OR_RETURN(store->contents_, roster.Read());
    ZC_ASSIGN_OR_RETURN(History history, History::Open(*store->database_, options.max_events));
    ZC_ASSIGN_OR_RETURN(Search search, Search::Open(options.path));
    store->reader_ = std::make_unique<Reader>(loop, std::move(search));
    store->writer_ = std::make_unique<Writer>(loop, *store->database_, std::move(roster),
                                              std::move(history), options.max_waiting);
    return store;
  }

  const Contents& contents() const override { return contents_; }
  void Write(std::vector<Change> changes, Done done) override {
    writer_->Write(std::move(changes), std::move(done));
  }
  void Append(Batch batch, std::function<void(absl::StatusOr<Appended>)> done) override {
    writer_->Append(std::move(batch), std::move(done));
  }
  void Read(Query query,
            std::function<void(absl::StatusOr<std::vector<v1::FleetEvent>>)> answer) override {
    reader_->Read(std::move(query), std::move(answer));
  }
  uint64_t last_event() const override { return writer_->extent().last; }
  uint64_t events() const override { return writer_->extent().count(); }
  const std::string& problem() const override { return writer_->problem(); }

 private:
  SqliteStore() = default;

  Contents contents_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(Loop& loop, Options options) {
  return SqliteStore::Open(loop, options);
}

}  // namespace zcluster::controller
