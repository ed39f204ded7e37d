// What the operating system reports about files, as errors of leat.
#pragma once

#include <string_view>

#include "leat/result.h"

namespace leat::connector {

/// `what` happened to `path`: "cannot open" + "/a/b" + errno 13 → "cannot open /a/b: …".
///   kNotFound          ENOENT, ENOTDIR.
///   kPermissionDenied  EACCES, EPERM.
///   kUnavailable       EMFILE, ENFILE, ENOMEM, ESTALE, EINTR: retryable.
///   kIo                All others.
Error file_error(std::string_view what, std::string_view path, int error_number);

}  // namespace leat::connector
