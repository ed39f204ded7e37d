#include "state/ledger_folder.h"

#include <string>
#include <string_view>
#include <system_error>

namespace leat::state {
namespace {

Error from_system(const std::filesystem::path& dir, const std::error_code& code,
                  std::string_view doing) {
  ErrorCode kind = ErrorCode::kIo;
  if (code == std::errc::permission_denied || code == std::errc::operation_not_permitted ||
      code == std::errc::read_only_file_system) {
    kind = ErrorCode::kPermissionDenied;
  } else if (code == std::errc::no_space_on_device) {
    kind = ErrorCode::kDiskFull;
  } else if (code == std::errc::not_a_directory || code == std::errc::file_exists) {
    kind = ErrorCode::kInvalidArgument;
  }
  return {.code = kind,
          .message = "Cannot " + std::string(doing) + " the state folder " + dir.string() + ": " +
                     code.message() + ". Choose a folder that leat may write to with --state."};
}

// Files that RocksDB makes: a folder with these alone may be a ledger whose creation was cut short.
bool is_database_file(std::string_view name) {
  const auto ends_with = [name](std::string_view end) { return name.ends_with(end); };
  return name == "CURRENT" || name == "LOCK" || name == "IDENTITY" || name == "LOG" ||
         name.starts_with("LOG.old.") || name.starts_with("MANIFEST-") ||
         name.starts_with("OPTIONS-") || ends_with(".sst") || ends_with(".log") ||
         ends_with(".dbtmp");
}

}  // namespace

Result<void> prepare_ledger_folder(const std::filesystem::path& dir, bool read_only) {
  namespace fs = std::filesystem;
  std::error_code code;
  const fs::file_status status = fs::status(dir, code);
  if (status.type() == fs::file_type::not_found) {
    if (read_only) {
      return Error{.code = ErrorCode::kNotFound,
                   .message = "There is no state folder " + dir.string() +
                              ". Name the one that the loader uses with --state."};
    }
    fs::create_directories(dir, code);
    if (code) return from_system(dir, code, "make");
    return {};
  }
  if (status.type() == fs::file_type::none) return from_system(dir, code, "look into");
  if (status.type() != fs::file_type::directory) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = "The state folder " + dir.string() +
                            " is not a folder. Choose another path with --state."};
  }

  bool has_database = false;
  std::string foreign;
  fs::directory_iterator entry(dir, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (name == "CURRENT") has_database = true;
    if (!is_database_file(name) && name != "lost+found") foreign = name;
  }
  if (code) return from_system(dir, code, "read");
  if (has_database) return {};
  if (!foreign.empty()) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = "The folder " + dir.string() + " holds other things (\"" + foreign +
                            "\") and no leat state. Choose an empty or a new folder with --state."};
  }
  if (read_only) {
    return Error{
        .code = ErrorCode::kNotFound,
        .message = "The folder " + dir.string() +
                   " holds no leat state. Name the one that the loader uses with --state."};
  }
  return {};
}

}  // namespace leat::state
