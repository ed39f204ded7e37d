// Schema drift, told to people: each object that departs from the schema, once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "leat/object_store.h"
#include "leat/row_chunk.h"
#include "leat/source.h"

namespace leat::executor {

/// Columns that came or went are logged for the first object that shows them in this run, and at
/// debug level for others that show the same: a bucket of a million objects has one header.
/// Values that do not fit their column's type are logged for each object when it ends, at debug
/// level once that has been said often. All objects are counted.
///
/// Thread-safe.
class DriftLog {
 public:
  /// Both are borrowed.
  DriftLog(const SourceOptions& options, const ObjectStore& store)
      : options_(options), store_(store) {}

  /// Rows that the consumer takes.
  void delivered(const RowChunk& chunk);
  /// No more comes of the object: it is finished, or cannot be read on for `failure`.
  void ended(std::string_view key, const Error* failure);
  /// What came of the object is taken back.
  void forget(std::string_view key);

  /// Sets the counters that are this class's.
  void add_to(SourceStats& stats) const;

 private:
  /// Values of one column that do not fit it.
  struct Misfits {
    std::uint64_t nulled = 0;
    std::uint64_t rejected = 0;
    std::uint64_t first_record = 0;
    std::string first_text;
    std::string type;
  };
  struct Object {
    bool extra = false;
    bool missing = false;
    bool misfits = false;
    std::map<std::string, Misfits> columns;  ///< By name.
  };

  void report_columns(std::string_view key, const ColumnDrift& drift, Object& object);
  void add_misfits(const RowChunk& chunk, Object& object);
  void report_misfits(std::string_view key, const Object& object);

  const SourceOptions& options_;
  const ObjectStore& store_;

  mutable std::mutex mutex_;
  std::map<std::string, Object, std::less<>> objects_;  ///< Under way, and only those that drift.
  std::set<std::string> seen_;                          ///< Differences that were told.
  std::uint64_t misfit_lines_ = 0;
  std::uint64_t extra_ = 0;
  std::uint64_t missing_ = 0;
  std::uint64_t misfits_ = 0;
  std::uint64_t values_nulled_ = 0;
};

}  // namespace leat::executor
