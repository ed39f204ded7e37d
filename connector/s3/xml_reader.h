// Streaming XML for what S3 answers, over expat: bounded, and deaf to everything that XML can do
// beyond elements and text.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leat/result.h"

namespace leat::connector::s3 {

/// Reads one document, in pieces of any size. Used by one thread.
class XmlReader {
 public:
  static constexpr std::size_t kDepthMax = 16;
  static constexpr std::size_t kTextBytesMax = std::size_t{64} << 10;  ///< Of one element.
  /// Three times what 1,000 keys of 1,024 bytes come to, each byte encoded.
  static constexpr std::size_t kDocumentBytesMax = std::size_t{16} << 20;

  /// `path` holds the names of the open elements, from the root; the last one begins or ends.
  using Path = std::vector<std::string>;
  struct Handlers {
    std::function<void(const Path& path)> begin;
    /// `text`: the element's character data; of one with children, only what follows the last.
    std::function<void(const Path& path, const std::string& text)> end;
  };

  explicit XmlReader(Handlers handlers);
  XmlReader(const XmlReader&) = delete;
  XmlReader& operator=(const XmlReader&) = delete;
  ~XmlReader();

  /// After an error every further call fails alike.
  ///   kCorrupt  No XML, a document type (entities!), or beyond a limit. Retryable, but for a
  ///             document that is too long: a proxy's page or a broken answer may be a proper one
  ///             the next time.
  Result<void> feed(std::span<const std::byte> bytes);
  /// The document must be complete.
  ///   kCorrupt  It is cut off, or see feed. Retryable.
  Result<void> finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::connector::s3
