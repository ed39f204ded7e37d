// What all writers of a PostgreSQL sink have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/postgres/connection.h"
#include "connector/postgres/target_table.h"
#include "leat/split.h"

namespace leat::connector {

/// Changed only while none of them has anything to do.
struct PgWriterContext {
  PgSessionOptions session;
  std::string table;  ///< As parse_postgres_table returned it.
  std::string pipeline;
  std::string owner;
  bool keep_rejects = false;
  bool reject_refused = false;
  std::uint64_t refused_rows_max = 0;
  PgTargetTable target;
  std::function<void(std::string_view)> on_step;

  void step(std::string_view name) const {
    if (on_step) on_step(name);
  }
};

/// A writer's share of a checkpoint.
struct PgCommit {
  EpochMark mark;
  std::vector<SplitProgress> splits;
};

}  // namespace leat::connector
