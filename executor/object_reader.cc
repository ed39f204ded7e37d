#include "executor/object_reader.h"

#include <cstdint>
#include <utility>

#include "executor/split_stream.h"

namespace leat::executor {
namespace {

constexpr std::uint32_t kRefusedRowBytesMax = 256u << 20;

Error columns_unknown() {
  return {ErrorCode::kSchemaMismatch,
          "the columns are not known: nothing was loaded with this state folder, and no "
          "--schema is given"};
}

}  // namespace

ObjectReader::ObjectReader(const WorkerContext& context, std::stop_token stop)
    : context_(context), stop_(std::move(stop)), derived_(context.options, context.schemas) {}

Result<SplitProgress> ObjectReader::read(const ObjectVersion& object,
                                         const std::optional<Fingerprint>& fingerprint,
                                         const std::function<Result<void>(RowChunk)>& deliver) {
  Result<std::unique_ptr<ByteStreamParser>> parser = make_parser();
  if (!parser) return std::move(parser).error();
  SplitProgress split;
  split.object = object;
  split.fingerprint = fingerprint;
  SplitAssignment assignment{.object = std::make_shared<const ObjectVersion>(object)};
  if (fingerprint) assignment.end = fingerprint->bytes;
  SplitStream stream(
      context_, assignment, **parser,
      [&](RowChunk chunk) -> Result<void> {
        if (Result<void> completed = complete(chunk); !completed) return completed;
        split.position = chunk.end;
        split.rows += static_cast<std::uint64_t>(chunk.rows);
        split.rejected += chunk.rejects.size();
        return deliver(std::move(chunk));
      },
      [](const std::shared_ptr<const Schema>&) { return Result<void>(); }, stop_,
      SplitStream::Threads::kOwn);
  if (Result<void> done = stream.run(); !done) {
    Error error = std::move(done).error();
    if (error.at.object.empty()) error.at.object = context_.store.uri_of(object.key);
    return error;
  }
  split.state = SplitState::kFinished;
  return split;
}

Result<std::string> ObjectReader::parser_state_of(const ObjectVersion& object) {
  std::optional<std::string> state;
  Result<SplitProgress> done = read(object, {}, [&state](const RowChunk& chunk) -> Result<void> {
    state = chunk.end.parser_state;
    return Error{ErrorCode::kCancelled, "the front of the object is enough"};
  });
  if (state) return *std::move(state);
  if (!done) return std::move(done).error();
  return done->position.parser_state;
}

Result<std::unique_ptr<ByteStreamParser>> ObjectReader::make_parser() const {
  if (context_.schemas.parsed() == nullptr) return columns_unknown();
  return leat::make_parser(context_.schemas.format(), context_.schemas.parsed());
}

Result<std::unique_ptr<ByteStreamParser>> ObjectReader::make_refused_row_parser() const {
  if (context_.schemas.parsed() == nullptr) return columns_unknown();
  FormatOptions format;
  format.kind = Format::kJsonLines;
  format.on_error = OnError::kReject;
  format.extra_columns = ExtraColumns::kIgnore;  // Lineage and partitions: complete() adds them.
  format.record_bytes_max = kRefusedRowBytesMax;
  auto schema = std::make_shared<Schema>(*context_.schemas.parsed());
  // A json value stands there as a text, like all others.
  for (Field& field : schema->fields) {
    if (field.type.id == TypeId::kJson) field.type.id = TypeId::kText;
  }
  return leat::make_parser(format, std::move(schema));
}

Result<void> ObjectReader::complete(RowChunk& chunk) {
  if (Result<void> begun = derived_.begin(chunk.split->key); !begun) return begun;
  derived_.append_to(chunk);
  return {};
}

}  // namespace leat::executor
