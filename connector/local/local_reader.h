// Reads one version of one local file.
#pragma once

#include <memory>

#include "connector/local/local_store.h"
#include "leat/object_store.h"

namespace leat::connector {

/// Looks after each read whether the file is still the version that was opened: bytes of two
/// versions are never handed out as one. A file that is deleted meanwhile can be read to its end.
class LocalReader final : public ObjectReader {
 public:
  /// See LocalStore::open.
  static Result<std::unique_ptr<LocalReader>> open(const ObjectVersion& object,
                                                   std::uint64_t offset,
                                                   LocalStore::Counters& counters);
  LocalReader(const LocalReader&) = delete;
  LocalReader& operator=(const LocalReader&) = delete;
  ~LocalReader() override;

  Result<std::size_t> read(std::span<std::byte> out) override;
  bool reads_anywhere() const noexcept override { return true; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  LocalReader(const ObjectVersion& object, std::uint64_t offset, int descriptor,
              LocalStore::Counters& counters);
  Result<void> check_version() const;

  const ObjectVersion object_;
  std::uint64_t offset_;
  const int descriptor_;
  LocalStore::Counters& counters_;
};

}  // namespace leat::connector
