#include "leat/source.h"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "connector/glob.h"
#include "connector/guarded_store.h"
#include "executor/object_filter.h"
#include "executor/schema_registry.h"
#include "executor/source_executor.h"

namespace leat {
namespace {

Error invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

Result<void> check_type(const Field& field) {
  const DataType& type = field.type;
  const std::string column = "column " + quote_identifier(field.name);
  if (type.id < TypeId::kBool || type.id > TypeId::kJson) {
    return invalid(column + " has type " + std::to_string(static_cast<int>(type.id)) +
                   ", which is no TypeId");
  }
  if (type.id != TypeId::kDecimal) {
    if (type.precision == 0 && type.scale == 0) return {};
    return invalid(column + " has a precision or scale, which only numeric columns have");
  }
  if (type.precision >= 1 && type.precision <= 38 && type.scale <= type.precision) return {};
  return invalid(column + " is " + type.to_sql() +
                 ": a precision is between 1 and 38, a scale between 0 and the precision");
}

/// @param what  "the schema has a column", "there is a partition".
Result<void> check_columns(const Schema& schema, const std::string& what) {
  std::unordered_set<std::string_view> names;
  for (const Field& field : schema.fields) {
    if (field.name.empty()) return invalid(what + " without a name");
    if (!names.insert(field.name).second) {
      return invalid(what + " " + quote_identifier(field.name) + " twice");
    }
    if (Result<void> valid = check_type(field); !valid) return valid;
  }
  return {};
}

/// Those of the data, of the partitions and of the lineage.
Result<void> check_schema(const SourceOptions& options) {
  if (options.schema) {
    if (options.schema->fields.empty()) return invalid("the schema has no columns");
    if (Result<void> valid = check_columns(*options.schema, "the schema has a column"); !valid)
      return valid;
    if (options.format.kind == Format::kLines && options.schema->fields.size() != 1) {
      return invalid("lines have one column; the schema has " +
                     std::to_string(options.schema->fields.size()));
    }
  }
  if (Result<void> valid = check_columns(options.partitions, "there is a partition"); !valid)
    return valid;
  const auto delivered = executor::delivered_schema(
      std::make_shared<const Schema>(options.schema.value_or(Schema())), options);
  return delivered ? Result<void>() : delivered.error();
}

Result<void> check_enumerators(const SourceOptions& options) {
  const auto up_to = [](auto value, auto last) {
    return static_cast<int>(value) >= 0 && value <= last;
  };
  const std::pair<const char*, bool> known[] = {
      {"types", up_to(options.types, SourceOptions::Types::kSniff)},
      {"on_change", up_to(options.on_change, SourceOptions::OnChange::kAppend)},
      {"after.kind", up_to(options.after.kind, AfterAction::Kind::kTag)},
      {"order", up_to(options.order, SourceOptions::Order::kModified)},
      {"discovery", up_to(options.discovery, SourceOptions::Discovery::kTail)},
      {"store.s3.addressing",
       up_to(options.store.s3.addressing, S3Options::Addressing::kVirtualHost)},
  };
  for (const auto& [name, is_known] : known) {
    if (!is_known) return invalid("SourceOptions::" + std::string(name) + " is no enumerator");
  }
  return {};
}

/// What is asked for by `from`, `where` and the like.
Result<void> check_objects(const SourceOptions& options) {
  Result<SourceUri> uri = parse_source_uri(options.from);
  if (!uri) return std::move(uri).error();
  Result<connector::Glob> glob = connector::Glob::compile(uri->pattern);
  if (!glob) return std::move(glob).error();
  Result<executor::ObjectFilter> filter = executor::ObjectFilter::create(options);
  return filter ? Result<void>() : std::move(filter).error();
}

/// @param store  Null: that of options.from.
Result<std::unique_ptr<Source>> open_source(SourceOptions options,
                                            std::unique_ptr<ObjectStore> store,
                                            const std::optional<Checkpoint>& recovered) {
  if (options.on_change == SourceOptions::OnChange::kReplace) {
    return invalid(
        "OnChange::kReplace needs somebody who takes the former rows out: leat::Loader does");
  }
  Result<std::unique_ptr<executor::SourceExecutor>> source = executor::SourceExecutor::prepare(
      std::move(options), std::move(store), "an embedding program");
  if (!source) return std::move(source).error();
  if (recovered) {
    if (recovered->epoch > 1 && (*source)->mark().epoch == 0) {
      return Error{
          ErrorCode::kStateMismatch,
          "the state folder is empty, and the consumer's checkpoint is that of epoch " +
              std::to_string(recovered->epoch) +
              ", which holds only what this epoch changed: all that was loaded before would "
              "be read again. Restore the state folder, or begin anew with an empty table and "
              "no checkpoint"};
    }
    if (Result<void> done = (*source)->recovery().follow(*recovered); !done) {
      return std::move(done).error();
    }
  }
  if (Result<void> started = (*source)->start(); !started) return std::move(started).error();
  return std::unique_ptr<Source>(std::move(*source));
}

}  // namespace

Result<void> SourceOptions::validate() const {
  if (from.empty()) return invalid("no source: say what to read, e.g. s3://bucket/in/**/*.csv");
  if (state_dir.empty()) return invalid("no state folder: say where progress is kept");
  if (Result<void> valid = check_enumerators(*this); !valid) return valid;
  if (poll_interval.count() <= 0) return invalid("the poll interval must be above 0");
  if (poll_interval_max.count() != 0 && poll_interval_max < poll_interval) {
    return invalid("the longest poll interval is below the poll interval");
  }
  if (reconcile_interval.count() <= 0) return invalid("the reconcile interval must be above 0");
  if (list_parallel == 0 || list_parallel > 64) {
    return invalid("between 1 and 64 parts can be listed at a time");
  }
  if (list_budget.requests != 0 && list_budget.per.count() <= 0) {
    return invalid("a budget of requests needs a time above 0");
  }
  if (forget_after.count() < 0) return invalid("the time to forget after is below 0");
  if (threads > 1024) return invalid("more than 1024 threads");
  if (splits_in_flight_max > 1024) return invalid("more than 1024 splits in flight");
  if (memory_bytes_max < (16u << 20)) return invalid("the memory limit is below 16 MiB");
  if (lineage_modified && !lineage) {
    return invalid("--lineage-modified adds a column to those of --lineage");
  }
  if (order == Order::kModified && discovery == Discovery::kTail) {
    return invalid("--order modified needs all to be listed, which --discovery tail does not do");
  }
  if (ordered_objects_max == 0) return invalid("an order needs at least 1 object in memory");
  if (split_attempts_max == 0) return invalid("a split needs at least 1 attempt");
  if (after.kind == AfterAction::Kind::kTag && !from.starts_with("s3://")) {
    return invalid("--after tag: local files have no tags; only objects of S3 do");
  }
  if (on_change == OnChange::kAppend &&
      (after.kind == AfterAction::Kind::kDelete || after.kind == AfterAction::Kind::kMove)) {
    return invalid("--on-change append waits for objects to grow, which --after would take away");
  }
  if ((after.kind == AfterAction::Kind::kMove || after.kind == AfterAction::Kind::kTag) &&
      after.name.empty()) {
    return invalid("--after move and tag need a name: write move:PREFIX, or tag:NAME=VALUE");
  }
  if (after.kind == AfterAction::Kind::kMove && !from.starts_with("s3://") &&
      !after.name.starts_with('/')) {
    return invalid("--after move: \"" + after.name + "\" is no absolute path of a folder");
  }
  if (!format.header && !schema && types == Types::kText) {
    return invalid("without a header the columns need a schema, e.g. 'id bigint, name text'");
  }
  if (Result<void> valid = check_schema(*this); !valid) return valid;
  if (Result<void> valid = format.validate(); !valid) return valid;
  return check_objects(*this);
}

Result<std::unique_ptr<Source>> Source::open(SourceOptions options,
                                             std::optional<Checkpoint> recovered) {
  return open_source(std::move(options), nullptr, recovered);
}

Result<std::unique_ptr<Source>> Source::open(SourceOptions options,
                                             std::unique_ptr<ObjectStore> store,
                                             std::optional<Checkpoint> recovered) {
  if (store == nullptr) {
    return invalid("the store is null: leave it out, and options.from says which one is opened");
  }
  Result<std::unique_ptr<ObjectStore>> guarded = connector::GuardedStore::of(std::move(store));
  if (!guarded) return std::move(guarded).error();
  return open_source(std::move(options), *std::move(guarded), recovered);
}

}  // namespace leat
