#include "leat/sniff.h"

#include <optional>
#include <utility>
#include <vector>

#include "connector/guarded_store.h"
#include "core/plural.h"
#include "executor/sniff_objects.h"
#include "parser/sniff/sniffer.h"

namespace leat {
namespace {

Result<SniffReport> sniff_store(const SniffOptions& options, const std::string& pattern,
                                const ObjectStore& store) {
  const Clock& clock = options.store.clock != nullptr ? *options.store.clock : system_clock();
  Result<executor::ChosenObjects> chosen =
      executor::choose_objects(store, pattern, options.objects_max, options.store.stop);
  if (!chosen) return std::move(chosen).error();
  if (chosen->objects.empty()) {
    std::string message = "nothing matches " + options.from;
    if (chosen->empty > 0) message = "all that matches " + options.from + " is empty";
    if (chosen->unsettled > 0) message += "; files that are still being written were left out";
    return Error{ErrorCode::kNotFound, std::move(message)};
  }

  std::vector<parser::Sample> samples;
  std::vector<SniffedObject> unread;
  std::optional<Error> failure;
  for (const ObjectVersion& object : chosen->objects) {
    Result<parser::Sample> sample =
        executor::read_sample(store, clock, object, options.format.encoding,
                              options.sample_bytes_max, options.store.stop);
    if (sample) {
      samples.push_back(std::move(*sample));
      continue;
    }
    if (sample.error().code == ErrorCode::kCancelled) return std::move(sample).error();
    unread.push_back(executor::unread(store, object, sample.error()));
    if (!failure) {
      failure = std::move(sample).error();
      failure->at.object = store.uri_of(object.key);
    }
  }
  if (samples.empty() && failure) return *std::move(failure);
  Result<SniffReport> report =
      parser::sniff_samples(std::move(samples), options.format, options.choose);
  if (!report) return report;
  for (SniffedObject& object : unread) report->objects.push_back(std::move(object));
  if (chosen->empty > 0) {
    report->notes.push_back(core::count_of(chosen->listed, "object") + " listed, " +
                            std::to_string(chosen->empty) + " of them empty");
  }
  if (report->schema.fields.empty()) {
    return Error{ErrorCode::kNotFound, "what was looked at of " + options.from +
                                           " holds no record: neither names nor values"};
  }
  return report;
}

}  // namespace

Result<void> SniffOptions::validate() const {
  if (from.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "no source: say what to look at, e.g. s3://bucket/in/**/*.csv"};
  }
  if (objects_max == 0 || objects_max > 1000) {
    return Error{ErrorCode::kInvalidArgument, "between 1 and 1,000 objects can be looked at"};
  }
  if (sample_bytes_max == 0 || sample_bytes_max > (512ull << 20)) {
    return Error{ErrorCode::kInvalidArgument,
                 "between 1 byte and 512 MiB of an object can be looked at"};
  }
  return format.validate();
}

Result<SniffReport> sniff(const SniffOptions& options) {
  if (Result<void> valid = options.validate(); !valid) return std::move(valid).error();
  Result<SourceUri> uri = parse_source_uri(options.from);
  if (!uri) return std::move(uri).error();
  Result<std::unique_ptr<ObjectStore>> store = open_store(*uri, options.store);
  if (!store) return std::move(store).error();
  return sniff_store(options, uri->pattern, **store);
}

Result<SniffReport> sniff(const SniffOptions& options, const ObjectStore& store) {
  if (Result<void> valid = options.validate(); !valid) return std::move(valid).error();
  Result<SourceUri> uri = parse_source_uri(options.from);
  if (!uri) return std::move(uri).error();
  return sniff_store(options, uri->pattern, connector::GuardedStore(store));
}

}  // namespace leat
