#include "parser/sniff/column_values.h"

#include <algorithm>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

constexpr std::size_t kEvidenceTextBytes = 64;

/// A candidate is given up once more than this many values and this share of them do not fit.
constexpr std::uint32_t kMissesKept = 16;
constexpr std::uint32_t kMissesShare = 10;  ///< One in so many.

constexpr int kDecimalDigitsMax = 38;
/// The precision of a decimal that has room to grow: what 64 bits hold.
constexpr int kUsualPrecision = 18;
/// A double that is printed and read again has at most so many digits.
constexpr int kDoubleDigitsMax = 17;
constexpr int kFixedScaleMin = 2;
constexpr int kFixedScaleMax = 4;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

DecimalDigits digits_of(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view before = text.substr(0, point);
  const std::string_view behind = point == text.size() ? "" : text.substr(point + 1);
  const auto all_digits = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), is_digit);
  };
  if (before.empty() || text.ends_with('.') || text.size() > std::size_t{2} * kDecimalDigitsMax ||
      !all_digits(before) || !all_digits(behind)) {
    return {};
  }
  const auto zeros_of = [](std::string_view part) {
    return std::min(part.find_first_not_of('0'), part.size());
  };
  DecimalDigits digits{true, static_cast<int>(before.size() - zeros_of(before)),
                       static_cast<int>(behind.size())};
  digits.significant = digits.before + digits.behind;
  if (digits.before == 0) digits.significant -= static_cast<int>(zeros_of(behind));
  return digits;
}

/// Leading zeros and plus signs belong to codes and telephone numbers: a number would lose them.
bool is_code(std::string_view text) {
  if (text.starts_with('+')) return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && is_digit(text[1]);
}

NumberText number_text(const ValueFormats& formats, std::string_view text, std::string& plain) {
  const std::string_view number = formats.number(text, plain);
  return {number, is_code(number), digits_of(number)};
}

/// Of numbers in plain decimal form, which most are, it takes no conversion to know that they can
/// be converted.
bool is_float(const NumberText& number) {
  double value = 0;
  return !number.is_code && (number.digits.plain || parse_float(number.text, value).empty());
}

/// How numbers and points in time are often written, where not as ISO has them.
struct OtherForm {
  TimeFormat::Use use;
  const char* format;
  TimeFormat reader;
};

// Bits of ColumnValues::other_forms_ behind those of other_forms().
constexpr std::uint32_t kCommaForm = 1u << 31;          ///< Numbers with a decimal comma.
constexpr std::uint32_t kTrimmedNumberForm = 1u << 30;  ///< Numbers, but for spaces around them.
constexpr std::uint32_t kTrimmedTimeForm = 1u << 29;

const std::vector<OtherForm>& other_forms() {
  static const std::vector<OtherForm> made_once = [] {
    std::vector<OtherForm> forms;
    for (const char* date :
         {"%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%b-%Y", "%d.%m.%y", "%m/%d/%y"}) {
      forms.push_back({TimeFormat::Use::kDate, date, {}});
    }
    for (const char* time :
         {"%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S",
          "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S",
          "%Y/%m/%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %z"}) {
      forms.push_back({TimeFormat::Use::kTimestamp, time, {}});
    }
    for (OtherForm& form : forms) {
      if (Result<TimeFormat> made = TimeFormat::of(form.format, form.use)) {
        form.reader = *std::move(made);
      }
    }
    return forms;
  }();
  return made_once;
}

const ValueFormats& comma_numbers() {
  static const ValueFormats formats = [] {
    FormatOptions options;
    options.decimal_separator = ',';
    options.thousands_separator = '.';
    return ValueFormats(options);
  }();
  return formats;
}

}  // namespace

bool is_typed(const DataType& type) noexcept { return !type.is_variable(); }

DataType type_of_value(std::string_view text) {
  ColumnValues alone;
  alone.add(text, false, [] { return SniffedMisfit(); });
  return alone.type();
}

ColumnValues::ColumnValues() {
  static const ValueFormats iso{FormatOptions()};
  formats_ = &iso;
}

const NumberText& ColumnValues::number_of(std::string_view text) {
  if (!number_) number_ = number_text(*formats_, text, plain_);
  return *number_;
}

bool ColumnValues::fits_number(Candidate candidate, const NumberText& number) {
  if (number.is_code) return false;
  const DecimalDigits& digits = number.digits;
  switch (candidate) {
    case kInteger: {
      std::int64_t value = 0;
      return parse_int(number.text, value).empty();
    }
    case kLongInteger:
      return digits.plain && digits.behind == 0 && digits.before <= kDecimalDigitsMax;
    case kFixedDecimal: {
      if (!digits.plain || digits.behind < kFixedScaleMin || digits.behind > kFixedScaleMax) {
        return false;
      }
      if (fixed_scale_ != 0 && digits.behind != fixed_scale_) return false;
      if (digits.before + digits.behind > kDecimalDigitsMax) return false;
      fixed_scale_ = digits.behind;
      fixed_digits_ = std::max(fixed_digits_, digits.before);
      return true;
    }
    case kFloat: {
      if (!is_float(number)) return false;
      if (digits.plain && digits.significant > kDoubleDigitsMax) return false;
      saw_digit_ = saw_digit_ || std::any_of(number.text.begin(), number.text.end(), is_digit);
      return true;
    }
    case kLongDecimal: {
      const int scale = std::max(long_scale_, digits.behind);
      const int before = std::max(long_digits_, digits.before);
      if (!digits.plain || before + scale > kDecimalDigitsMax) return false;
      long_scale_ = scale;
      long_digits_ = before;
      return true;
    }
    default:
      return false;
  }
}

bool ColumnValues::fits(Candidate candidate, std::string_view text) {
  switch (candidate) {
    case kBool: {
      const bool word = equals_ignoring_case(text, "true") || equals_ignoring_case(text, "false");
      saw_bool_word_ = saw_bool_word_ || word;
      saw_t_ = saw_t_ || text == "t";
      saw_f_ = saw_f_ || text == "f";
      return word || text == "t" || text == "f";
    }
    case kInteger:
    case kLongInteger:
    case kFixedDecimal:
    case kFloat:
    case kLongDecimal:
      return fits_number(candidate, number_of(text));
    case kDate: {
      std::int32_t days = 0;
      return formats_->date().parse_date(text, days).empty();
    }
    case kTime: {
      std::int64_t time_us = 0;
      return formats_->time().parse_time(text, time_us).empty();
    }
    case kTimestamp: {
      std::int64_t timestamp_us = 0;
      return formats_->timestamp().parse_timestamp(text, false, timestamp_us).empty();
    }
    case kTimestampTz: {
      std::int64_t timestamp_us = 0;
      return formats_->timestamp().parse_timestamp(text, true, timestamp_us).empty();
    }
    case kUuid: {
      // 32 digits without hyphens are as likely a hash, which a UUID would print otherwise.
      std::uint8_t bytes[16];
      return text.size() == 36 && parse_uuid(text, bytes).empty();
    }
    case kJson:
      return (text.starts_with('{') || text.starts_with('[')) && valid_json(text);
    case kHexBytes: {
      Buffer bytes;
      return text.starts_with("\\x") && parse_bytes(text, bytes).empty();
    }
    case kText:
      return transcoded_ || valid_utf8(text);
    case kBytes: {
      if (!text.starts_with("\\x")) return true;
      Buffer bytes;
      return parse_bytes(text, bytes).empty();
    }
    case kCandidates:
      break;
  }
  return false;
}

void ColumnValues::keep_evidence(std::string_view text, const Locate& locate) {
  if (evidence_of_ == values_) return;
  evidence_of_ = values_;
  evidence_.push_back(locate());
  evidence_.back().text = text.substr(0, kEvidenceTextBytes);
}

void ColumnValues::miss(Misses& misses, std::string_view text, bool quoted, const Locate& locate) {
  if (misses.count == 0) {
    keep_evidence(text, locate);
    misses.first = static_cast<std::uint8_t>(evidence_.size() - 1);
  }
  misses.one_text = misses.one_text && evidence_[misses.first].text == text;
  misses.quoted = misses.quoted && quoted;
  ++misses.count;
  misses.hopeless =
      !misses.one_text && misses.count > kMissesKept && misses.count > values_ / kMissesShare;
}

void ColumnValues::see_other_forms(std::string_view text, bool quoted) {
  see_without_spaces(text, quoted);
  const std::vector<OtherForm>& forms = other_forms();
  for (std::size_t i = 0; i < forms.size(); ++i) {
    if ((other_forms_ >> i & 1) == 0) continue;
    std::int32_t days = 0;
    std::int64_t us = 0;
    const bool fits = forms[i].use == TimeFormat::Use::kDate
                          ? forms[i].reader.parse_date(text, days).empty()
                          : forms[i].reader.parse_timestamp(text, true, us).empty();
    if (!fits) other_forms_ &= ~(1u << i);
  }
  if ((other_forms_ & kCommaForm) == 0) return;
  const std::size_t comma = text.find(',');
  const bool groups = text.find('.') != text.npos;
  std::string plain;
  const bool same = comma == text.npos && !groups;  // As without commas.
  if (!is_float(same ? number_of(text) : number_text(comma_numbers(), text, plain))) {
    other_forms_ &= ~kCommaForm;
    return;
  }
  points_group_ = points_group_ || groups;
  if (comma == text.npos) return;
  comma_is_sure_ =
      comma_is_sure_ || groups || text.size() - comma != 4 || comma == 0 || text[comma - 1] == '0';
}

void ColumnValues::see_without_spaces(std::string_view text, bool quoted) {
  if ((other_forms_ & (kTrimmedNumberForm | kTrimmedTimeForm)) == 0) return;
  const std::size_t size = text.size();
  while (!quoted && !text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!quoted && !text.empty() && is_blank(text.back())) text.remove_suffix(1);
  const bool trimmed = text.size() != size;
  padded_ = padded_ || trimmed;
  std::string plain;
  if (!is_float(trimmed ? number_text(*formats_, text, plain) : number_of(text))) {
    other_forms_ &= ~kTrimmedNumberForm;
  }
  std::int64_t us = 0;
  if (!formats_->timestamp().parse_timestamp(text, true, us).empty()) {
    other_forms_ &= ~kTrimmedTimeForm;
  }
}

std::optional<OtherReading> ColumnValues::other_reading() const {
  constexpr const char* kNumbers = "numbers";
  constexpr const char* kTimes = "points in time";
  if (values_ == 0 || type().id != TypeId::kText) return std::nullopt;
  if (padded_ && (other_forms_ & kTrimmedNumberForm) != 0) return OtherReading{"--trim", kNumbers};
  if (padded_ && (other_forms_ & kTrimmedTimeForm) != 0) return OtherReading{"--trim", kTimes};
  const std::vector<OtherForm>& forms = other_forms();
  const std::uint32_t times = other_forms_ & ((1u << forms.size()) - 1);
  if ((other_forms_ & kCommaForm) != 0 && comma_is_sure_) {
    return OtherReading{
        std::string("--decimal-separator ,") + (points_group_ ? " --thousands-separator ." : ""),
        kNumbers};
  }
  std::string flags;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    if ((times >> i & 1) == 0) continue;
    flags += (flags.empty() ? "" : " or ") +
             std::string(forms[i].use == TimeFormat::Use::kDate ? "--date-format"
                                                                : "--timestamp-format") +
             " '" + forms[i].format + "'";
  }
  if (flags.empty()) return std::nullopt;
  return OtherReading{std::move(flags), kTimes};
}

void ColumnValues::add(std::string_view text, bool quoted, const Locate& locate) {
  ++values_;
  number_.reset();
  if (transcoded_ && !valid_utf8(text) && ++undecodable_ == 1) first_undecodable_ = locate();
  for (std::size_t i = 0; i < kCandidates; ++i) {
    if (misses_[i].hopeless) continue;
    if (!fits(static_cast<Candidate>(i), text)) miss(misses_[i], text, quoted, locate);
  }
  if (other_forms_ != 0) see_other_forms(text, quoted);
}

void ColumnValues::add_json_string(std::string_view text, const Locate& locate) {
  for (const Candidate other :
       {kBool, kInteger, kLongInteger, kFixedDecimal, kFloat, kLongDecimal, kJson}) {
    ++misses_[other].count;
    misses_[other].hopeless = true;
  }
  add(text, true, locate);
}

/// What all values fit and yet may be something else.
bool ColumnValues::is_sure(Candidate candidate) const noexcept {
  if (candidate == kBool) return saw_bool_word_ || (saw_t_ && saw_f_);
  if (candidate == kFloat) return saw_digit_;
  return true;
}

std::size_t ColumnValues::chosen() const noexcept {
  if (values_ == 0) return kText;
  for (std::size_t i = 0; i < kCandidates; ++i) {
    if (misses_[i].count == 0 && is_sure(static_cast<Candidate>(i))) return i;
  }
  return kText;
}

DataType ColumnValues::type_of(Candidate candidate) const noexcept {
  switch (candidate) {
    case kBool:
      return {TypeId::kBool};
    case kInteger:
      return {TypeId::kInt64};
    case kLongInteger:
      return {TypeId::kDecimal, kDecimalDigitsMax, 0};
    case kFixedDecimal: {
      const bool usual = fixed_digits_ + fixed_scale_ <= kUsualPrecision;
      return {TypeId::kDecimal,
              static_cast<std::uint8_t>(usual ? kUsualPrecision : kDecimalDigitsMax),
              static_cast<std::uint8_t>(fixed_scale_)};
    }
    case kFloat:
      return {TypeId::kFloat64};
    case kLongDecimal:
      return {TypeId::kDecimal, kDecimalDigitsMax, static_cast<std::uint8_t>(long_scale_)};
    case kDate:
      return {TypeId::kDate};
    case kTime:
      return {TypeId::kTime};
    case kTimestamp:
      return {TypeId::kTimestamp};
    case kTimestampTz:
      return {TypeId::kTimestampTz};
    case kUuid:
      return {TypeId::kUuid};
    case kJson:
      return {TypeId::kJson};
    case kHexBytes:
    case kBytes:
      return {TypeId::kBytes};
    case kText:
    case kCandidates:
      break;
  }
  return {TypeId::kText};
}

DataType ColumnValues::type() const { return type_of(static_cast<Candidate>(chosen())); }

std::optional<SniffedMisfit> ColumnValues::misfit() const {
  const Misses& misses = misses_[chosen()];
  if (misses.count == 0) return std::nullopt;
  return evidence_[misses.first];
}

std::optional<NearType> ColumnValues::near() const {
  std::size_t best = kCandidates;
  const std::size_t narrower = chosen();
  // What is not UTF-8 is the whole story of a column of bytes.
  const bool bytes = narrower == kBytes && !misses_[kText].hopeless;
  for (std::size_t i = bytes ? kText : 0; i < narrower; ++i) {
    const Misses& misses = misses_[i];
    if (misses.hopeless || misses.count == 0 || !is_sure(static_cast<Candidate>(i))) continue;
    const std::uint64_t fits = values_ - misses.count;
    const bool most =
        misses.one_text ? misses.count <= fits : misses.count <= values_ / kMissesShare;
    if (most && (best == kCandidates || misses.count < misses_[best].count)) best = i;
  }
  if (best == kCandidates) return std::nullopt;
  const Misses& misses = misses_[best];
  NearType near;
  near.type = type_of(static_cast<Candidate>(best));
  near.fits = values_ - misses.count;
  near.first = evidence_[misses.first];
  near.one_text = misses.one_text;
  near.quoted_empty = misses.one_text && misses.quoted && near.first.text.empty();
  return near;
}

}  // namespace leat::parser
