// Which objects of a source are sniffed, and their fronts.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string_view>
#include <vector>

#include "leat/clock.h"
#include "leat/object_store.h"
#include "leat/result.h"
#include "leat/sniff.h"
#include "leat/split.h"
#include "parser/sniff/sample.h"

namespace leat::executor {

struct ChosenObjects {
  std::vector<ObjectVersion> objects;  ///< None of them empty.
  std::uint64_t listed = 0;            ///< That match the pattern, in the pages looked at.
  std::uint64_t empty = 0;             ///< Of these.
  std::uint64_t unsettled = 0;         ///< See ListPage.
};

/// Of the objects on the listing's first pages: the first, the last, and others spread evenly
/// between them, `objects_max` in all. Further pages are listed only until there is an object.
///   Errors of SplitEnumerator; kCancelled.
Result<ChosenObjects> choose_objects(const ObjectStore& store, std::string_view pattern,
                                     std::uint32_t objects_max, std::stop_token stop);

/// The first `bytes_max` decoded bytes of an object, whose text is in `encoding`.
///   Errors of DecodedReader::read, where not even the first byte can be read.
Result<parser::Sample> read_sample(const ObjectStore& store, const Clock& clock,
                                   const ObjectVersion& object, const std::string& encoding,
                                   std::uint64_t bytes_max, std::stop_token stop);

/// What a report says of an object that was not read.
SniffedObject unread(const ObjectStore& store, const ObjectVersion& object, const Error& error);

}  // namespace leat::executor
