// The ledger's folder in the file system: looked at before RocksDB writes its first file.
#pragma once

#include <filesystem>

#include "leat/result.h"

namespace leat::state {

/// Whether `dir` can be opened as a ledger. Makes the folder when it is absent, unless read_only.
///   kNotFound          read_only, and there is no ledger.
///   kInvalidArgument   Not a folder, or one that holds files which are not a ledger's.
///   kPermissionDenied, kIo, kDiskFull
Result<void> prepare_ledger_folder(const std::filesystem::path& dir, bool read_only);

}  // namespace leat::state
