#include "executor/sniff_objects.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "connector/split_enumerator.h"
#include "executor/decoded_reader.h"

namespace leat::executor {
namespace {

constexpr int kPagesMax = 3;

/// `count` of `objects`, the first and the last among them.
std::vector<ObjectVersion> spread(std::vector<ObjectVersion> objects, std::size_t count) {
  if (objects.size() <= count) return objects;
  if (count == 1) return {std::move(objects.front())};
  std::vector<ObjectVersion> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    chosen.push_back(std::move(objects[i * (objects.size() - 1) / (count - 1)]));
  }
  return chosen;
}

}  // namespace

Result<ChosenObjects> choose_objects(const ObjectStore& store, std::string_view pattern,
                                     std::uint32_t objects_max, std::stop_token stop) {
  Result<connector::SplitEnumerator> enumerator =
      connector::SplitEnumerator::create(store, pattern);
  if (!enumerator) return std::move(enumerator).error();
  ChosenObjects chosen;
  std::vector<ObjectVersion> filled;
  for (int pages = 1;; ++pages) {
    if (stop.stop_requested()) return Error{ErrorCode::kCancelled, "sniffing was stopped"};
    Result<connector::EnumeratedPage> page = enumerator->next_page();
    if (!page) return std::move(page).error();
    chosen.listed += page->objects.size();
    chosen.unsettled += page->unsettled;
    for (ObjectVersion& object : page->objects) {
      if (object.size == 0) {
        ++chosen.empty;
      } else {
        filled.push_back(std::move(object));
      }
    }
    if (page->last || (pages >= kPagesMax && !filled.empty())) break;
  }
  chosen.objects = spread(std::move(filled), objects_max);
  return chosen;
}

Result<parser::Sample> read_sample(const ObjectStore& store, const Clock& clock,
                                   const ObjectVersion& object, const std::string& encoding,
                                   std::uint64_t bytes_max, std::stop_token stop) {
  DecodedReader reader(store, clock, object, {}, {}, {}, encoding, {}, std::move(stop));
  parser::Sample sample;
  sample.object = store.uri_of(object.key);
  constexpr std::size_t kStepBytes = 256u << 10;
  while (!sample.whole && sample.bytes.size() < bytes_max) {
    const std::size_t have = sample.bytes.size();
    sample.bytes.resize(have + std::min(kStepBytes, static_cast<std::size_t>(bytes_max) - have));
    Result<std::size_t> bytes = reader.read(
        std::as_writable_bytes(std::span(sample.bytes.data() + have, sample.bytes.size() - have)));
    sample.bytes.resize(have + (bytes ? *bytes : 0));
    if (!bytes) {
      // What is in front of a fault tells enough; whoever reads on will meet it again.
      if (have != 0 && bytes.error().code != ErrorCode::kCancelled) break;
      return std::move(bytes).error();
    }
    sample.whole = *bytes == 0;
    sample.transcoded = reader.is_transcoded();
  }
  return sample;
}

SniffedObject unread(const ObjectStore& store, const ObjectVersion& object, const Error& error) {
  SniffedObject entry;
  entry.object = store.uri_of(object.key);
  entry.left_out = error.message;
  return entry;
}

}  // namespace leat::executor
