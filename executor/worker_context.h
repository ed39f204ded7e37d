// What all workers of a source share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "executor/event_queue.h"
#include "executor/schema_registry.h"
#include "executor/schema_sniffer.h"
#include "executor/slice_queue.h"
#include "executor/work_queue.h"
#include "leat/object_store.h"
#include "leat/source.h"

namespace leat::executor {

/// Everything is borrowed and outlives the workers.
struct WorkerContext {
  const SourceOptions& options;
  const ObjectStore& store;
  const Clock& clock;
  WorkQueue& work;
  EventQueue& events;
  SchemaRegistry& schemas;
  SchemaSniffer& sniffer;
  SliceParsing& parsing;
  std::size_t chunk_bytes;  ///< Decoded bytes read, and parsed, at a time.
  std::atomic<std::uint64_t>& reading;
  std::atomic<std::uint64_t>& read_retries;
};

}  // namespace leat::executor
