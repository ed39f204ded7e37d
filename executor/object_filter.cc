#include "executor/object_filter.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

namespace leat::executor {
namespace {

__extension__ typedef __int128 Int128;

template <class T>
int ordered(T a, T b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

/// NaN is above all others and equal to itself, as in PostgreSQL.
template <class T>
int ordered_float(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return ordered(std::isnan(a), std::isnan(b));
  return ordered(a, b);
}

/// Below 0, 0 or above 0, as `a`'s value stands to `b`'s. Neither is null.
int compare(const DataType& type, const Column& a, const Column& b) {
  switch (type.id) {
    case TypeId::kBool:
      return ordered(a.bool_at(0), b.bool_at(0));
    case TypeId::kInt16:
      return ordered(a.at<std::int16_t>(0), b.at<std::int16_t>(0));
    case TypeId::kInt32:
    case TypeId::kDate:
      return ordered(a.at<std::int32_t>(0), b.at<std::int32_t>(0));
    case TypeId::kInt64:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return ordered(a.at<std::int64_t>(0), b.at<std::int64_t>(0));
    case TypeId::kFloat32:
      return ordered_float(a.at<float>(0), b.at<float>(0));
    case TypeId::kFloat64:
      return ordered_float(a.at<double>(0), b.at<double>(0));
    case TypeId::kDecimal:
      return ordered(a.at<Int128>(0), b.at<Int128>(0));
    case TypeId::kUuid:
      return std::memcmp(a.values.data(), b.values.data(), 16);
    case TypeId::kText:
    case TypeId::kBytes:
    case TypeId::kJson:
      return a.text_at(0).compare(b.text_at(0));
  }
  return 0;
}

bool equals_ignoring_case(std::string_view a, std::string_view upper) {
  return std::equal(a.begin(), a.end(), upper.begin(), upper.end(), [](char x, char y) {
    return std::toupper(static_cast<unsigned char>(x)) == y;
  });
}

}  // namespace

/// Reads "dt >= 2026-11-01 AND region IN ('eu', 'us')".
class ObjectFilter::Compiler {
 public:
  Compiler(std::string_view text, const Schema& partitions)
      : text_(text), partitions_(partitions) {}

  Result<void> compile(ObjectFilter& filter) {
    next();
    while (true) {
      if (Result<void> added = condition(filter); !added) return added;
      if (at_end()) break;
      if (!take_word("AND")) return wrong("AND or the end is expected");
    }
    return {};
  }

 private:
  enum class Token { kEnd, kWord, kQuoted, kName, kSymbol };

  Error wrong(const std::string& what) const {
    return Error{ErrorCode::kInvalidArgument,
                 "the condition \"" + std::string(text_) + "\" cannot be read at character " +
                     std::to_string(token_begin_ + 1) + ": " + what +
                     "; an example: dt >= 2026-11-01 AND region IN ('eu', 'us')"};
  }

  bool at_end() const { return token_ == Token::kEnd; }
  bool is_symbol(std::string_view symbol) const {
    return token_ == Token::kSymbol && value_ == symbol;
  }
  bool take_symbol(std::string_view symbol) {
    if (!is_symbol(symbol)) return false;
    next();
    return true;
  }
  bool take_word(std::string_view upper) {
    if (token_ != Token::kWord || !equals_ignoring_case(value_, upper)) return false;
    next();
    return true;
  }

  /// Words hold what dates, numbers and plain names are made of.
  static bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-+.:").find(c) != std::string_view::npos ||
           static_cast<unsigned char>(c) >= 0x80;
  }

  void next() {
    while (place_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[place_])) != 0) {
      ++place_;
    }
    token_begin_ = place_;
    value_.clear();
    if (place_ == text_.size()) {
      token_ = Token::kEnd;
      return;
    }
    const char first = text_[place_];
    if (first == '\'' || first == '"') return quoted(first);
    if (in_word(first)) {
      token_ = Token::kWord;
      while (place_ < text_.size() && in_word(text_[place_])) value_ += text_[place_++];
      return;
    }
    token_ = Token::kSymbol;
    value_ = first;
    ++place_;
    if (place_ == text_.size()) return;
    const char second = text_[place_];
    if ((first == '<' && (second == '=' || second == '>')) || (first == '>' && second == '=') ||
        (first == '!' && second == '=')) {
      value_ += second;
      ++place_;
    }
  }

  void quoted(char quote) {
    token_ = quote == '"' ? Token::kName : Token::kQuoted;
    for (++place_; place_ < text_.size(); ++place_) {
      if (text_[place_] != quote) {
        value_ += text_[place_];
      } else if (place_ + 1 < text_.size() && text_[place_ + 1] == quote) {
        value_ += text_[place_++];
      } else {
        ++place_;
        return;
      }
    }
    token_ = Token::kSymbol;  // Never closed: fits nowhere.
  }

  Result<void> condition(ObjectFilter& filter) {
    if (token_ != Token::kWord && token_ != Token::kName) {
      return wrong("a partition's name is expected");
    }
    const int found = partitions_.find(value_);
    if (found < 0) {
      std::string names;
      for (const Field& field : partitions_.fields) {
        names += (names.empty() ? "" : ", ") + field.name;
      }
      return wrong("\"" + value_ + "\" is none of the partitions" +
                   (names.empty() ? ", of which there are none: name them with their types first"
                                  : " (" + names + ")"));
    }
    next();
    Field field = partitions_.fields[static_cast<std::size_t>(found)];
    field.nullable = true;
    Condition condition;
    const auto same = std::find_if(filter.columns_.begin(), filter.columns_.end(),
                                   [&field](const PartitionColumn& column) {
                                     return column.reader.schema().fields[0] == field;
                                   });
    condition.column = static_cast<std::size_t>(same - filter.columns_.begin());
    if (same == filter.columns_.end()) {
      filter.columns_.push_back({.reader = PartitionReader(Schema{{field}})});
    }
    if (Result<void> read = relation(condition, field, filter); !read) return read;
    filter.conditions_.push_back(std::move(condition));
    return {};
  }

  Result<void> relation(Condition& condition, const Field& field, ObjectFilter& filter) {
    if (take_word("IS")) {
      condition.kind = Condition::Kind::kIsNull;
      condition.negated = take_word("NOT");
      return take_word("NULL") ? Result<void>() : wrong("NULL is expected");
    }
    if (take_word("BETWEEN")) {
      Condition least;
      least.column = condition.column;
      least.equal = least.greater = true;
      if (Result<void> read = operand(least, field); !read) return read;
      filter.conditions_.push_back(std::move(least));
      if (!take_word("AND")) return wrong("AND is expected, as in BETWEEN 1 AND 5");
      condition.less = condition.equal = true;
      return operand(condition, field);
    }
    condition.negated = take_word("NOT");
    if (take_word("IN")) {
      condition.kind = Condition::Kind::kIn;
      if (!take_symbol("(")) return wrong("( is expected after IN");
      do {
        if (Result<void> read = operand(condition, field); !read) return read;
      } while (take_symbol(","));
      return take_symbol(")") ? Result<void>() : wrong(", or ) is expected");
    }
    if (condition.negated) return wrong("IN is expected after NOT");
    condition.less = is_symbol("<") || is_symbol("<=") || is_symbol("<>") || is_symbol("!=");
    condition.equal = is_symbol("=") || is_symbol("<=") || is_symbol(">=");
    condition.greater = is_symbol(">") || is_symbol(">=") || is_symbol("<>") || is_symbol("!=");
    if (!condition.less && !condition.equal && !condition.greater) {
      return wrong("=, <>, <, <=, >, >=, BETWEEN, IN or IS NULL is expected");
    }
    next();
    return operand(condition, field);
  }

  /// A value, read as a partition of this type is.
  Result<void> operand(Condition& condition, const Field& field) {
    if (token_ != Token::kWord && token_ != Token::kQuoted) return wrong("a value is expected");
    std::string folder = "v=";
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : value_) {
      const auto byte = static_cast<unsigned char>(c);
      folder += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
    PartitionReader reader(Schema{{Field{"v", field.type}}});
    Result<const PartitionValues*> values = reader.read(folder + "/");
    if (!values) return wrong("\"" + value_ + "\" is no " + field.type.to_sql());
    Column column;
    column.validity.append((*values)->columns[0].validity.data(),
                           (*values)->columns[0].validity.size());
    column.offsets.append((*values)->columns[0].offsets.data(),
                          (*values)->columns[0].offsets.size());
    column.values.append((*values)->columns[0].values.data(), (*values)->columns[0].values.size());
    condition.operands.push_back(std::move(column));
    next();
    return {};
  }

  const std::string_view text_;
  const Schema& partitions_;
  std::size_t place_ = 0;
  std::size_t token_begin_ = 0;
  Token token_ = Token::kEnd;
  std::string value_;
};

Result<ObjectFilter> ObjectFilter::create(const SourceOptions& options) {
  ObjectFilter filter;
  filter.modified_after_ms_ = options.modified_after_ms;
  filter.key_after_ = options.key_after;
  if (options.where.empty()) return filter;
  if (Result<void> compiled = Compiler(options.where, options.partitions).compile(filter);
      !compiled) {
    return std::move(compiled).error();
  }
  return filter;
}

bool ObjectFilter::holds(const Condition& condition, const Column& value) const {
  const bool null = value.is_null(0);
  if (condition.kind == Condition::Kind::kIsNull) return null != condition.negated;
  if (null) return false;
  const DataType& type = columns_[condition.column].type();
  if (condition.kind == Condition::Kind::kIn) {
    const bool found =
        std::any_of(condition.operands.begin(), condition.operands.end(),
                    [&](const Column& operand) { return compare(type, value, operand) == 0; });
    return found != condition.negated;
  }
  const int order = compare(type, value, condition.operands[0]);
  return order < 0 ? condition.less : order > 0 ? condition.greater : condition.equal;
}

bool ObjectFilter::takes(const ObjectVersion& object) {
  if (modified_after_ms_ && object.modified_ms <= *modified_after_ms_) return false;
  if (!key_after_.empty() && object.key <= key_after_) return false;
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    const Column* const value = columns_[condition.column].read(object.key);
    return value == nullptr || holds(condition, *value);
  });
}

const Column* ObjectFilter::PartitionColumn::read(std::string_view key) {
  const Result<const PartitionValues*> values = reader.read(key);
  return values ? &(*values)->columns[0] : nullptr;
}

void ObjectFilter::narrow(const connector::Glob& glob) {
  for (PartitionColumn& column : columns_) {
    column.narrows = !glob.can_repeat_folder(column.reader.schema().fields[0].name);
  }
}

bool ObjectFilter::narrows() const {
  return std::any_of(columns_.begin(), columns_.end(),
                     [](const PartitionColumn& column) { return column.narrows; });
}

bool ObjectFilter::excludes(std::string_view folder) {
  return std::any_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    PartitionColumn& column = columns_[condition.column];
    if (!column.narrows) return false;
    // Null may also be a name that no folder had so far.
    const Column* const value = column.read(folder);
    return value != nullptr && !value->is_null(0) && !holds(condition, *value);
  });
}

bool ObjectFilter::open_in(std::string_view folder) {
  return std::any_of(columns_.begin(), columns_.end(), [&](PartitionColumn& column) {
    if (!column.narrows) return false;
    const Column* const value = column.read(folder);
    return value != nullptr && value->is_null(0);
  });
}

}  // namespace leat::executor
