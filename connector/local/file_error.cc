#include "connector/local/file_error.h"

#include <cerrno>
#include <string>
#include <system_error>

namespace leat::connector {

Error file_error(std::string_view what, std::string_view path, int error_number) {
  Error error{.code = ErrorCode::kIo,
              .message = std::string(what) + " " + std::string(path) + ": " +
                         std::generic_category().message(error_number)};
  error.at.object = std::string(path);
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      error.code = ErrorCode::kNotFound;
      break;
    case EACCES:
    case EPERM:
      error.code = ErrorCode::kPermissionDenied;
      error.message += "; let the user that runs leat read it, or leave it out of the pattern";
      break;
    case EMFILE:
    case ENFILE:
      error.code = ErrorCode::kUnavailable;
      error.message += "; raise the limit of open files (ulimit -n)";
      error.retryable = true;
      break;
    case ENOMEM:
    case ESTALE:
    case EINTR:
      error.code = ErrorCode::kUnavailable;
      error.retryable = true;
      break;
    default:
      break;
  }
  return error;
}

}  // namespace leat::connector
