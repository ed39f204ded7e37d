#include "executor/slice_queue.h"

#include <algorithm>
#include <utility>

namespace leat::executor {

std::string offending_bytes(const Error& error, const ByteChunk& bytes) {
  constexpr std::size_t kBytesMax = 1024;
  if (!error.at.byte_offset || *error.at.byte_offset < bytes.offset) return {};
  const std::uint64_t begin = *error.at.byte_offset - bytes.offset;
  if (begin >= bytes.payload.size()) return {};
  const auto from = bytes.payload.subspan(static_cast<std::size_t>(begin));
  return {reinterpret_cast<const char*>(from.data()), std::min(from.size(), kBytesMax)};
}

void Slice::read() {
  if (source == nullptr) return;
  bytes.resize(unread_bytes);
  for (std::size_t filled = 0; filled != bytes.size() && !is_unread;) {
    const Result<std::size_t> read =
        source->read_at(begin.offset + filled, {bytes.data() + filled, bytes.size() - filled});
    is_unread = !read || *read == 0;
    if (read) filled += *read;
  }
}

void Slice::shift_records(std::uint64_t before) {
  rows.records.begin += before;
  rows.records.end += before;
  rows.end.record += before;
  auto* const numbers = rows.record_numbers.as<std::int64_t>();
  for (std::size_t i = 0; i < rows.record_numbers.size() / sizeof(std::int64_t); ++i) {
    numbers[i] += static_cast<std::int64_t>(before);
  }
  for (RejectedRow& reject : rows.rejects) reject.record += before;
  for (NulledValues& values : rows.nulled) values.first_record += before;
  if (!parsed && parsed.error().at.record) *parsed.error().at.record += before;
}

void SliceParsing::run(const std::function<void()>& task) {
  {
    std::unique_lock lock(places_mutex_);
    place_is_free_.wait(lock, [this] { return free_places_ != 0; });
    --free_places_;
  }
  task();
  {
    const std::lock_guard lock(places_mutex_);
    ++free_places_;
  }
  place_is_free_.notify_one();
}

void SliceParsing::parse(Slice& slice, const std::shared_ptr<const Schema>& schema) {
  std::unique_ptr<ByteStreamParser> parser;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      parser = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (parser == nullptr) {
    Result<std::unique_ptr<ByteStreamParser>> made = make_parser(schemas_.format(), schema);
    if (!made) {
      slice.parsed = std::move(made).error();
      return;
    }
    parser = std::move(*made);
    parser->limit_rows(rows_bytes_max_);
  }
  const ByteChunk bytes{slice.begin.offset, {slice.bytes.data(), slice.bytes.size()}};
  slice.parsed = parser->reset_for_new_split(slice.object, slice.begin);
  if (slice.parsed) slice.parsed = parser->parse(bytes, slice.rows);
  slice.is_full = parser->has_more();
  if (!slice.parsed) slice.offending = offending_bytes(slice.parsed.error(), bytes);
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(parser));
}

SliceQueue::~SliceQueue() {
  while (!empty()) pop();
}

bool SliceQueue::front_is_parsed() const noexcept {
  return !empty() && in_flight_.front()->parsed_.load(std::memory_order_acquire);
}

std::shared_ptr<SliceQueue::Entry> SliceQueue::try_push(
    std::unique_ptr<Slice>& slice, const std::shared_ptr<const Schema>& schema) {
  const bool needs_permit = !empty();
  if (needs_permit && !parsing_.permits_.try_acquire()) return nullptr;
  auto entry = std::make_shared<Entry>(std::move(slice));
  entry->schema_ = schema;
  entry->has_permit_ = needs_permit;
  in_flight_.push_back(entry);
  return entry;
}

void SliceQueue::parse(Entry& entry) {
  Slice& slice = *entry.slice_;
  slice.read();
  if (!slice.is_unread) parsing_.run([&] { parsing_.parse(slice, entry.schema_); });
  entry.parsed_.store(true, std::memory_order_release);
  entry.parsed_.notify_one();
}

std::unique_ptr<Slice> SliceQueue::pop() {
  const std::shared_ptr<Entry> entry = std::move(in_flight_.front());
  in_flight_.pop_front();
  entry->parsed_.wait(false, std::memory_order_acquire);
  if (entry->has_permit_) parsing_.permits_.release();
  return std::move(entry->slice_);
}

}  // namespace leat::executor
