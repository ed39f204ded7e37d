#include "connector/s3/xml_reader.h"

#include <expat.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace leat::connector::s3 {

class XmlReader::State {
 public:
  explicit State(Handlers handlers)
      : handlers_(std::move(handlers)), parser_(XML_ParserCreate(nullptr)) {
    if (parser_ == nullptr) std::terminate();  // Out of memory.
    XML_SetUserData(parser_, this);
    XML_SetElementHandler(parser_, on_begin, on_end);
    XML_SetCharacterDataHandler(parser_, on_text);
    XML_SetStartDoctypeDeclHandler(parser_, on_doctype);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { XML_ParserFree(parser_); }

  Result<void> feed(std::span<const std::byte> bytes, bool last) {
    // expat counts in int.
    constexpr std::size_t kStep = std::size_t{1} << 20;
    do {
      const auto piece = bytes.first(std::min(bytes.size(), kStep));
      bytes = bytes.subspan(piece.size());
      received_ += piece.size();
      if (received_ > kDocumentBytesMax) {
        is_too_long_ = true;
        fail("it is longer than 16 MiB");
      }
      if (problem_) break;
      const auto* text = reinterpret_cast<const char*>(piece.data());
      const bool is_final = last && bytes.empty();
      if (XML_Parse(parser_, text, static_cast<int>(piece.size()), is_final) != XML_STATUS_OK) {
        fail(XML_ErrorString(XML_GetErrorCode(parser_)));
      }
    } while (!bytes.empty());
    if (!problem_) return {};
    return Error{.code = ErrorCode::kCorrupt,
                 .message = std::string("the XML of the answer cannot be used: ") + problem_ +
                            " (byte " + std::to_string(XML_GetCurrentByteIndex(parser_)) + ")",
                 .at = {},
                 .retryable = !is_too_long_};
  }

 private:
  static State& of(void* user_data) { return *static_cast<State*>(user_data); }

  // expat is C: nothing may be thrown through it.
  template <class Action>
  void guarded(Action action) noexcept {
    if (problem_) return;
    try {
      action();
    } catch (const std::exception&) {
      fail("out of memory");
    }
  }

  void fail(const char* problem) noexcept {
    if (problem_) return;
    problem_ = problem;
    XML_StopParser(parser_, XML_FALSE);
  }

  static void on_begin(void* user_data, const XML_Char* name, const XML_Char**) noexcept {
    State& state = of(user_data);
    state.guarded([&] {
      if (state.path_.size() >= kDepthMax) return state.fail("its elements are nested too deeply");
      // Text around child elements is layout.
      if (!state.texts_.empty()) state.texts_.back().clear();
      state.path_.emplace_back(name);
      state.texts_.emplace_back();
      if (state.handlers_.begin) state.handlers_.begin(state.path_);
    });
  }

  static void on_end(void* user_data, const XML_Char*) noexcept {
    State& state = of(user_data);
    state.guarded([&] {
      if (state.handlers_.end) state.handlers_.end(state.path_, state.texts_.back());
      state.path_.pop_back();
      state.texts_.pop_back();
    });
  }

  static void on_text(void* user_data, const XML_Char* text, int length) noexcept {
    State& state = of(user_data);
    state.guarded([&] {
      if (state.texts_.empty()) return;
      const auto bytes = static_cast<std::size_t>(length);
      if (state.texts_.back().size() + bytes > kTextBytesMax) {
        return state.fail("one of its elements is too long");
      }
      state.texts_.back().append(text, bytes);
    });
  }

  // Entities need a document type: without one there is nothing to expand.
  static void on_doctype(void* user_data, const XML_Char*, const XML_Char*, const XML_Char*,
                         int) noexcept {
    of(user_data).fail("it declares a document type");
  }

  Handlers handlers_;
  XML_Parser parser_;
  std::size_t received_ = 0;
  bool is_too_long_ = false;  // Once is enough.
  Path path_;
  std::vector<std::string> texts_;  // Of each open element.
  const char* problem_ = nullptr;   // Static text; the first one stays.
};

XmlReader::XmlReader(Handlers handlers) : state_(std::make_unique<State>(std::move(handlers))) {}
XmlReader::~XmlReader() = default;

Result<void> XmlReader::feed(std::span<const std::byte> bytes) {
  return state_->feed(bytes, /*last=*/false);
}

Result<void> XmlReader::finish() { return state_->feed({}, /*last=*/true); }

}  // namespace leat::connector::s3
