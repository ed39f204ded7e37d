// Fields laid out as a tokenized block has them, and kernels held against values.h.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parser/convert/simd/column_kernels.h"

namespace leat::parser::simd {

using Random = std::mt19937_64;

/// A generator whose seed a failing test prints.
class SeededTest : public testing::Test {
 protected:
  SeededTest()
      : seed_(std::random_device{}()), random_(seed_), trace_(__FILE__, __LINE__, text()) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }

  char one_of(std::string_view characters) { return characters[below(characters.size())]; }

  std::string digits(std::size_t count) {
    std::string out(count, '0');
    for (char& c : out) c = static_cast<char>('0' + below(10));
    return out;
  }

  /// `text` with a character replaced, inserted or removed.
  std::string mutated(std::string text) {
    const char c = below(4) == 0 ? static_cast<char>(below(256)) : one_of("-+.eE/: 0159Tt\"\0,");
    const std::size_t place = below(text.size() + 1);
    switch (text.empty() ? 0 : below(3)) {
      case 0:
        text.insert(text.begin() + place, c);
        break;
      case 1:
        text.erase(place % text.size(), 1);
        break;
      default:
        text[place % text.size()] = c;
    }
    return text;
  }

 private:
  std::string text() const { return "seed " + std::to_string(seed_); }

  unsigned seed_;
  Random random_;
  testing::ScopedTrace trace_;
};

enum class Layout {
  kSideBySide,  ///< Begin and end in neighbouring places, as in a column that is not the first.
  kApart,       ///< In two arrays, as in the first column.
};

/// The fields of one column, with nothing readable but 64 bytes on both sides of them. Whatever is
/// not of a field looks like a part of it: a kernel must not mind.
class FieldBlock {
 public:
  FieldBlock(const std::vector<std::string>& fields, Layout layout) {
    constexpr std::string_view kAround = "7-1.5:0T9-3,8.2-";
    constexpr std::size_t kPadding = 64;
    std::size_t size = fields.size();
    for (const std::string& field : fields) size += field.size();
    text_ = std::make_unique<char[]>(kPadding + size + kPadding);
    for (std::size_t i = 0; i < kPadding + size + kPadding; ++i) {
      text_[i] = kAround[i % kAround.size()];
    }
    const std::size_t stride = layout == Layout::kSideBySide ? 3 : 1;
    bounds_ = std::make_unique<std::uint32_t[]>(stride * fields.size() + 1);
    ends_ = std::make_unique<std::uint32_t[]>(fields.size());
    std::uint32_t at = 0;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      std::memcpy(text_.get() + kPadding + at, fields[i].data(), fields[i].size());
      bounds_[i * stride] = at - 1;
      at += static_cast<std::uint32_t>(fields[i].size());
      ends_[i] = at;
      if (layout == Layout::kSideBySide) bounds_[i * stride + 1] = at;
      ++at;
    }
    column_ = {text_.get() + kPadding, bounds_.get(), stride, ends_.get(), 1, fields.size()};
    if (layout == Layout::kSideBySide) {
      column_.ends = bounds_.get() + 1;
      column_.end_stride = stride;
    }
  }

  const FieldColumn& column() const { return column_; }

 private:
  std::unique_ptr<char[]> text_;
  std::unique_ptr<std::uint32_t[]> bounds_;
  std::unique_ptr<std::uint32_t[]> ends_;
  FieldColumn column_;
};

template <class Value>
struct Converted {
  std::vector<Value> values;
  std::vector<std::uint32_t> abnormal;
};

/// Which kernel of a target, and the function of values.h that it stands for.
template <class Value>
struct KernelUnderTest {
  using Convert = std::size_t(const ColumnKernels& kernels, const FieldColumn& column,
                              Value* values, std::uint32_t* abnormal);
  using Parse = std::string_view(std::string_view text, Value& value);

  KernelUnderTest(ColumnKernels::Convert<Value> ColumnKernels::*kernel, Parse* parser)
      : convert([kernel](const ColumnKernels& kernels, const FieldColumn& column, Value* values,
                         std::uint32_t* abnormal) {
          return (kernels.*kernel)(column, values, abnormal);
        }),
        parse(parser) {}
  KernelUnderTest(std::function<Convert> kernel, std::function<Parse> parser)
      : convert(std::move(kernel)), parse(std::move(parser)) {}

  std::function<Convert> convert;
  std::function<Parse> parse;
};

/// Runs one kernel, which may write no more than its answer.
template <class Value>
Converted<Value> run(const KernelUnderTest<Value>& under_test, SimdTarget target,
                     const FieldColumn& column) {
  // Exactly so long that a sanitizer sees a write behind the end.
  const auto values = std::make_unique<Value[]>(column.count);
  const auto abnormal = std::make_unique<std::uint32_t[]>(column.count);
  const std::size_t abnormal_count =
      under_test.convert(column_kernels(target), column, values.get(), abnormal.get());
  return {{values.get(), values.get() + column.count},
          {abnormal.get(), abnormal.get() + abnormal_count}};
}

template <class Value>
bool same_bits(const Value& a, const Value& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

template <class Value>
std::vector<int> bytes_of(const Value& value) {
  std::uint8_t bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  return {bytes, bytes + sizeof value};
}

/// Every target, in both layouts, converts each of `fields` as values.h does, or leaves it over.
/// @return  The number of fields that any target but the portable one leaves over.
template <class Value>
std::size_t expect_same_as_values_h(const KernelUnderTest<Value>& under_test,
                                    const std::vector<std::string>& fields) {
  struct Expected {
    bool valid = false;
    Value value = {};
  };
  std::vector<Expected> expected(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    expected[i].valid = under_test.parse(fields[i], expected[i].value).empty();
  }
  std::size_t left_over = 0;
  for (const Layout layout : {Layout::kSideBySide, Layout::kApart}) {
    const FieldBlock block(fields, layout);
    for (const SimdTarget target : available_simd_targets()) {
      const auto converted = run(under_test, target, block.column());
      std::size_t next = 0;
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (next < converted.abnormal.size() && converted.abnormal[next] == i) {
          ++next;
        } else if (!expected[i].valid || !same_bits(converted.values[i], expected[i].value)) {
          ADD_FAILURE() << simd_target_name(target) << " converts \"" << fields[i] << "\" to "
                        << testing::PrintToString(bytes_of(converted.values[i])) << ", values.h "
                        << (expected[i].valid ? "to another value" : "refuses it");
          return left_over;
        }
      }
      EXPECT_EQ(next, converted.abnormal.size()) << "the abnormal rows do not ascend";
      if (target != SimdTarget::kPortable) left_over += converted.abnormal.size();
    }
  }
  return left_over;
}

}  // namespace leat::parser::simd
