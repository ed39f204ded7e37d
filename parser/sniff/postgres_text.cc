#include "parser/sniff/postgres_text.h"

#include <cctype>
#include <cstdint>
#include <string_view>

#include "parser/convert/values.h"
#include "parser/postgres/tokenizers.h"

namespace leat::parser {
namespace {

class Evidence {
 public:
  explicit Evidence(const FormatOptions& format) : format_(format) {}

  /// @return  False: this is some other format.
  bool see(const SampledRecord& record) {
    if (record.block == nullptr) return false;
    if (columns_.size() < record.fields()) columns_.resize(record.fields());
    for (std::size_t i = 0; i < record.fields(); ++i) {
      const std::string_view text = raw_text_of(record, i, format_);
      if (text == "\\N") {
        ++nulls_;
        continue;
      }
      Column& column = columns_[i];
      ++column.values;
      if (text.size() > 1 && text.starts_with('"') && text.ends_with('"')) ++column.quoted;
      if (text.find('\\') != text.npos && !see_backslashes(text)) return false;
    }
    return true;
  }

  std::string sentence() const {
    if (nulls_ + escapes_ == 0) return {};
    for (const Column& column : columns_) {
      if (column.quoted != 0 && 2 * column.quoted >= column.values) return {};
    }
    return "fields that are \\N: " + std::to_string(nulls_) +
           ", with other backslash escapes: " + std::to_string(escaped_) +
           "; nothing speaks against PostgreSQL's text format, which MySQL writes, too";
  }

 private:
  struct Column {
    std::uint64_t values = 0;
    std::uint64_t quoted = 0;
  };

  bool see_backslashes(std::string_view text) {
    bool letters = false;
    bool doubled = false;
    bool other = false;
    for (std::size_t at = 0; (at = text.find('\\', at)) != text.npos; at += 2) {
      if (at + 1 == text.size()) return false;
      const char next = text[at + 1];
      if (next == '\\') {
        doubled = true;
      } else if (next == format_.delimiter || next == '\n' || next == '\r') {
        other = true;
      } else if (std::string_view("bfnrtv").find(next) != std::string_view::npos) {
        // C:\temp
        if (at >= 2 && text[at - 1] == ':' &&
            std::isalpha(static_cast<unsigned char>(text[at - 2]))) {
          return false;
        }
        letters = true;
      } else {
        return false;
      }
    }
    // \\server\files
    if (text.starts_with("\\\\") && letters) return false;
    const bool json = (text.starts_with('{') || text.starts_with('[')) && valid_json(text);
    if (json) {
      plain_.clear();
      unescape_postgres_text(text, plain_);
      if (!valid_json(plain_)) return false;
    }
    ++escaped_;
    // Letters alone, and backslashes in JSON, are in files of other formats, too.
    if (other || (doubled && !json && !text.starts_with("\\\\"))) ++escapes_;
    return true;
  }

  const FormatOptions& format_;
  std::vector<Column> columns_;
  std::uint64_t nulls_ = 0;
  std::uint64_t escaped_ = 0;  ///< Fields that hold backslashes, …
  std::uint64_t escapes_ = 0;  ///< … which only this format has.
  std::string plain_;
};

}  // namespace

std::string postgres_text_evidence(const std::vector<Sample>& samples,
                                   const FormatOptions& format) {
  Evidence evidence(format);
  for (const Sample& sample : samples) {
    bool fits = true;
    const SampleWalk walk =
        walk_records(sample, format, true, sample.bytes.size(), [&](const SampledRecord& record) {
          fits = evidence.see(record);
          return fits;
        });
    // To PostgreSQL a byte order mark is data.
    if (!fits || walk.byte_order_mark) return {};
  }
  return evidence.sentence();
}

}  // namespace leat::parser
