// UUIDs: 8-4-4-4-12 hexadecimal digits in any case.
//
// One field at a time: its 32 digits fill two vectors.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

using Digits = hn::Full128<std::uint8_t>;

// Places of a 16-byte piece; above 127: none.
HWY_INLINE hn::Vec<Digits> picked(hn::Vec<Digits> piece, const std::uint8_t (&places)[16]) {
  const Digits digits;
  return hn::TableLookupBytesOr0(piece, hn::Load(digits, places));
}

// Sixteen hexadecimal digits to eight bytes. Clears `good` where there is another character.
HWY_INLINE std::uint64_t bytes_of_hex(hn::Vec<Digits> characters, bool& good) {
  const Digits digits;
  const auto number = hn::Sub(characters, hn::Set(digits, '0'));
  const auto letter = hn::Sub(hn::Or(characters, hn::Set(digits, 0x20)), hn::Set(digits, 'a'));
  const auto is_number = hn::Eq(hn::Min(number, hn::Set(digits, 9)), number);
  const auto is_letter = hn::Eq(hn::Min(letter, hn::Set(digits, 5)), letter);
  good = good && hn::AllTrue(digits, hn::Or(is_number, is_letter));
  const auto values = hn::IfThenElse(is_number, number, hn::Add(letter, hn::Set(digits, 10)));
  // Sixteen bits hold a byte: the first digit's sixteenfold and the second.
  const hn::Repartition<std::uint16_t, Digits> pairs;
  const auto upper = hn::ShiftLeft<4>(hn::BitCast(pairs, values));
  const auto lower = hn::ShiftRight<8>(hn::BitCast(pairs, values));
  const auto bytes = hn::And(hn::Or(upper, lower), hn::Set(pairs, 0xff));
  const hn::Half<Digits> half;
  const auto packed = hn::TruncateTo(half, bytes);
  return hn::GetLane(hn::BitCast(hn::Repartition<std::uint64_t, hn::Half<Digits>>(), packed));
}

inline std::size_t convert_uuids(const FieldColumn& column, Uuid* values,
                                 std::uint32_t* abnormal) noexcept {
  constexpr std::uint8_t kNo = 0x80;
  // From bytes 0, 16 and 20 of the text.
  HWY_ALIGN static constexpr std::uint8_t kFirstOfA[16] = {0, 1,  2,  3,  4,  5,  6,   7,
                                                           9, 10, 11, 12, 14, 15, kNo, kNo};
  HWY_ALIGN static constexpr std::uint8_t kFirstOfB[16] = {kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo,
                                                           kNo, kNo, kNo, kNo, kNo, kNo, 0,   1};
  HWY_ALIGN static constexpr std::uint8_t kSecondOfB[16] = {3,   kNo, kNo, kNo, kNo, kNo, kNo, kNo,
                                                            kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo};
  HWY_ALIGN static constexpr std::uint8_t kSecondOfC[16] = {kNo, 0, 1,  2,  4,  5,  6,  7,
                                                            8,   9, 10, 11, 12, 13, 14, 15};
  const Digits digits;
  std::uint32_t* abnormal_end = abnormal;
  for (std::size_t row = 0; row < column.count; ++row) {
    const std::uint32_t begin = column.begins[row * column.begin_stride] + 1;
    const std::uint32_t length = column.ends[row * column.end_stride] - begin;
    const auto* const text = reinterpret_cast<const std::uint8_t*>(column.text) + begin;
    const auto a = hn::LoadU(digits, text);
    const auto b = hn::LoadU(digits, text + 16);
    const auto c = hn::LoadU(digits, text + 20);
    bool good =
        length == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
    const std::uint64_t halves[2] = {
        bytes_of_hex(hn::Or(picked(a, kFirstOfA), picked(b, kFirstOfB)), good),
        bytes_of_hex(hn::Or(picked(b, kSecondOfB), picked(c, kSecondOfC)), good)};
    static_assert(sizeof halves == sizeof(Uuid));
    std::memcpy(values + row, halves, sizeof halves);
    *abnormal_end = static_cast<std::uint32_t>(row);
    abnormal_end += good ? 0 : 1;
  }
  return static_cast<std::size_t>(abnormal_end - abnormal);
}

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
