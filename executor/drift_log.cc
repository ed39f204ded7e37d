#include "executor/drift_log.h"

#include <algorithm>
#include <utility>

#include "core/plural.h"
#include "executor/log.h"

namespace leat::executor {
namespace {

using LogLevel = SourceOptions::LogLevel;

constexpr std::size_t kNamesShown = 8;
constexpr std::size_t kTextShownBytes = 60;
/// Differences that are remembered as told. Later ones are told at debug level.
constexpr std::size_t kDifferencesMax = 1'000;
constexpr std::uint64_t kMisfitLinesMax = 100;

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
    list += (i == 0 ? "" : ", ") + quote_identifier(names[i]);
  }
  if (names.size() > kNamesShown) list += ", … (" + std::to_string(names.size()) + " in all)";
  return list;
}

/// A text that names the difference and no other.
std::string identity_of(const std::vector<std::string>& names, char kind) {
  std::string identity(1, kind);
  for (const std::string& name : names) identity += std::to_string(name.size()) + ":" + name;
  return identity;
}

/// The value, not the record as a whole, nor a null where none is allowed.
bool is_misfit(const RejectedRow& reject) {
  return reject.code == ErrorCode::kBadValue && !reject.column.empty();
}

}  // namespace

void DriftLog::delivered(const RowChunk& chunk) {
  const bool misfits =
      !chunk.nulled.empty() || std::any_of(chunk.rejects.begin(), chunk.rejects.end(), is_misfit);
  if (chunk.drift == nullptr && !misfits) return;
  const std::lock_guard lock(mutex_);
  Object& object = objects_[chunk.split->key];
  if (chunk.drift != nullptr) report_columns(chunk.split->key, *chunk.drift, object);
  if (misfits) add_misfits(chunk, object);
}

void DriftLog::report_columns(std::string_view key, const ColumnDrift& drift, Object& object) {
  const auto report = [&](const std::vector<std::string>& names, char kind, const char* what,
                          bool& reported, std::uint64_t& count) {
    if (names.empty() || std::exchange(reported, true)) return;
    ++count;
    // What a schema given by the user leaves out of the first object is left out on purpose.
    const bool on_purpose = kind == 'e' && extra_ == 1 && options_.schema.has_value();
    const bool is_new =
        seen_.size() < kDifferencesMax && seen_.insert(identity_of(names, kind)).second;
    log(options_,
        !is_new      ? LogLevel::kDebug
        : on_purpose ? LogLevel::kInfo
                     : LogLevel::kWarning,
        store_.uri_of(key) + what + list_of(names));
  };
  report(drift.extra, 'e',
         " has columns that are ignored, since the schema lacks them: ", object.extra, extra_);
  report(drift.missing, 'm', " lacks columns, which are null in all of its rows: ", object.missing,
         missing_);
}

void DriftLog::add_misfits(const RowChunk& chunk, Object& object) {
  const auto add = [&](const std::string& name, std::uint64_t record,
                       const std::string& text) -> Misfits& {
    const auto [at, added] = object.columns.try_emplace(name);
    Misfits& misfits = at->second;
    if (!added) return misfits;
    misfits.first_record = record;
    misfits.first_text = text.substr(0, kTextShownBytes);
    if (const int column = chunk.schema->find(name); column >= 0) {
      misfits.type = chunk.schema->fields[static_cast<std::size_t>(column)].type.to_sql();
    }
    return misfits;
  };
  for (const RejectedRow& reject : chunk.rejects) {
    if (!is_misfit(reject)) continue;
    ++add(reject.column, reject.record, reject.text).rejected;
  }
  for (const NulledValues& values : chunk.nulled) {
    add(chunk.schema->fields[values.column].name, values.first_record, values.first_text).nulled +=
        values.count;
    values_nulled_ += values.count;
  }
  if (!std::exchange(object.misfits, true)) ++misfits_;
}

void DriftLog::report_misfits(std::string_view key, const Object& object) {
  for (const auto& [name, misfits] : object.columns) {
    const std::uint64_t count = misfits.nulled + misfits.rejected;
    std::string line = store_.uri_of(key) + ": column " + quote_identifier(name) + ": " +
                       core::count_of(count, "value") + (count == 1 ? " does" : " do") +
                       " not fit " + misfits.type + ", the first in record " +
                       std::to_string(misfits.first_record) + ": \"" + misfits.first_text + "\"; ";
    if (misfits.nulled > 0) line += std::to_string(misfits.nulled) + " read as null";
    if (misfits.nulled > 0 && misfits.rejected > 0) line += ", ";
    if (misfits.rejected > 0) line += std::to_string(misfits.rejected) + " set aside";
    log(options_, misfit_lines_ < kMisfitLinesMax ? LogLevel::kWarning : LogLevel::kDebug, line);
    if (++misfit_lines_ == kMisfitLinesMax) {
      log(options_, LogLevel::kWarning,
          "values that do not fit are counted from here on, and named at log level debug only");
    }
  }
}

void DriftLog::ended(std::string_view key, const Error* failure) {
  const std::lock_guard lock(mutex_);
  const auto at = objects_.find(key);
  const bool known = at != objects_.end() && at->second.misfits;
  if (!known && failure != nullptr && failure->code == ErrorCode::kBadValue) ++misfits_;
  if (at == objects_.end()) return;
  report_misfits(key, at->second);
  objects_.erase(at);
}

void DriftLog::forget(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto at = objects_.find(key);
  if (at == objects_.end()) return;
  const Object& object = at->second;
  extra_ -= object.extra ? 1 : 0;
  missing_ -= object.missing ? 1 : 0;
  misfits_ -= object.misfits ? 1 : 0;
  for (const auto& [name, misfits] : object.columns) values_nulled_ -= misfits.nulled;
  objects_.erase(at);
}

void DriftLog::add_to(SourceStats& stats) const {
  const std::lock_guard lock(mutex_);
  stats.objects_with_extra_columns = extra_;
  stats.objects_with_missing_columns = missing_;
  stats.objects_with_misfits = misfits_;
  stats.values_nulled = values_nulled_;
}

}  // namespace leat::executor
