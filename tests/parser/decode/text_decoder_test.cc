// Text of other encodings: the same UTF-8 in any pieces, from any place on, behind any compression.
#include "parser/decode/text_decoder.h"

#include <gtest/gtest.h>
#include <iconv.h>

#include <memory>

#include "tests/parser/decode/decode_run.h"
#include "tests/parser/decode/encoders.h"

namespace leat::parser {
namespace {

using namespace std::string_literals;

/// What iconv makes of UTF-8.
std::string encoded_as(const char* encoding, std::string text) {
  const iconv_t converter = iconv_open(encoding, "UTF-8");
  EXPECT_NE(converter, iconv_t(-1)) << encoding;
  std::string out(4 * text.size() + 16, '\0');
  char* from = text.data();
  char* to = out.data();
  std::size_t left = text.size();
  std::size_t room = out.size();
  EXPECT_NE(iconv(converter, &from, &left, &to, &room), static_cast<std::size_t>(-1)) << encoding;
  iconv_close(converter);
  out.resize(out.size() - room);
  return out;
}

std::string sample(std::size_t records) {
  std::string text;
  for (std::size_t i = 0; i < records; ++i) {
    text += std::to_string(i) +
            ",\"Stra\xc3\x9f"
            "e " +
            std::to_string(i * 7919 % 1009) + "\",\xc3\xa9t\xc3\xa9\r\n";
  }
  return text;
}

Decoded decode_text(const std::string& encoding, std::string_view bytes, const Cuts& cuts = {}) {
  return run_decoder(*make_text_decoder(encoding, nullptr, ""), bytes, cuts);
}

TEST(TextDecoder, TurnsEveryKnownEncodingIntoUtf8) {
  const std::string text = "a,b\n1,\xc3\xa9\n";
  for (const char* name : {"utf-16le", "utf-16be", "utf-32le", "utf-32be", "latin-1", "ISO-8859-15",
                           "windows-1252", "cp850", "cp858", "macintosh", "gb18030"}) {
    const std::optional<std::string> encoding = text_encoding(name);
    ASSERT_TRUE(encoding) << name;
    EXPECT_EQ(decode_text(*encoding, encoded_as(encoding->c_str(), text)).bytes, text) << name;
  }
  for (const char* name :
       {"windows-1250", "windows-1251", "iso-8859-2", "koi8-r", "koi8-u", "cp437", "cp852", "cp866",
        "cp874", "shift_jis", "euc-jp", "euc-kr", "gbk", "big5"}) {
    const std::optional<std::string> encoding = text_encoding(name);
    ASSERT_TRUE(encoding) << name;
    EXPECT_EQ(decode_text(*encoding, "a,b\n").bytes, "a,b\n") << name;
  }
  for (const char* name : {"iso-2022-jp", "windows-1255", "CP1255", "windows-1258", "cp1258"}) {
    EXPECT_FALSE(text_encoding(name)) << name << " needs a state between characters";
  }
  EXPECT_FALSE(text_encoding("windows-1259"));
  EXPECT_FALSE(text_encoding("iso-8859-17"));
}

TEST(TextDecoder, TheLastLetterNeedsNoLineEndBehindIt) {
  std::size_t pages = 0;
  for (const auto& [page, text] :
       {std::pair{1250, "x,\xc5\x91"}, std::pair{1251, "x,\xd0\xb6"}, std::pair{1252, "x,\xc3\xa9"},
        std::pair{1253, "x,\xcf\x89"}, std::pair{1254, "x,\xc4\x9f"},
        std::pair{1255, "x,\xd7\x95"},  // A letter that marks may follow.
        std::pair{1256, "x,\xd8\xa8"}, std::pair{1257, "x,\xc5\xbe"}, std::pair{1258, "x,a"}}) {
    const std::optional<std::string> encoding = text_encoding("windows-" + std::to_string(page));
    if (!encoding) continue;
    ++pages;
    const std::string bytes = encoded_as(encoding->c_str(), text);
    EXPECT_EQ(decode_text(*encoding, bytes).bytes, text) << page;
    EXPECT_EQ(decode_text(*encoding, bytes, fixed_cuts(1, 1)).bytes, text) << page << " in pieces";
  }
  EXPECT_EQ(pages, 7u);
}

TEST(TextDecoder, PiecesChangeNothing) {
  const std::string text = sample(40);
  for (const char* encoding : {"UTF-16LE", "UTF-32BE", "CP1252", "GB18030"}) {
    const std::string bytes = encoded_as(encoding, text);
    for (std::size_t in = 1; in < 12; ++in) {
      for (const std::size_t out : {1, 2, 3, 7, 100}) {
        EXPECT_EQ(decode_text(encoding, bytes, fixed_cuts(in, out)).bytes, text)
            << encoding << ", " << in << " in, " << out << " out";
      }
    }
  }
}

TEST(TextDecoder, WhatIsNoCharacterBecomesAByteThatIsNotUtf8) {
  EXPECT_EQ(decode_text("CP1252", "a\x81z\x80").bytes, "a\xffz\xe2\x82\xac");
  EXPECT_EQ(decode_text("UTF-16LE", "a\0\x00\xd8z\0"s).bytes, "a\xffz") << "half a pair";
  EXPECT_EQ(decode_text("UTF-16LE", "a\0b"s).bytes, "a\xff") << "half a unit at the end";
  EXPECT_EQ(decode_text("UTF-16LE", "a\0\x3d\xd8"s).bytes, "a\xff") << "half a pair at the end";
  for (std::size_t in = 1; in < 6; ++in) {
    EXPECT_EQ(decode_text("UTF-16BE", "\0a\xd8\x3d\0\n\xd8"s, fixed_cuts(in, 1)).bytes,
              "a\xff\n\xff");
  }
}

TEST(TextDecoder, AByteOrderMarkOutranksTheName) {
  EXPECT_EQ(choose_text_encoding("auto",
                                 "\xff\xfe"
                                 "a\0"s),
            "UTF-16LE");
  EXPECT_EQ(choose_text_encoding("windows-1252", "\xfe\xff\0a"s), "UTF-16BE");
  EXPECT_EQ(choose_text_encoding("auto", "\xff\xfe\0\0"s), "UTF-32LE");
  EXPECT_EQ(choose_text_encoding("latin-1",
                                 "\xef\xbb\xbf"
                                 "a"),
            "");
  EXPECT_EQ(choose_text_encoding("utf-16", "a\0b\0"s), "UTF-16LE");
  EXPECT_EQ(choose_text_encoding("auto", "abcd"), "");
  EXPECT_EQ(choose_text_encoding("latin-1", "abcd"), "ISO-8859-1");
}

/// Takes a state at many places, and checks that each gives the same rest.
void check_restarts(const std::string& encoding, const std::string& bytes, const std::string& text,
                    const std::function<std::unique_ptr<Decoder>()>& inner) {
  for (const std::size_t wanted : {0ul, 1ul, text.size() / 3, text.size() / 2, text.size() - 1}) {
    const std::unique_ptr<Decoder> decoder = make_text_decoder(encoding, inner(), "");
    std::string state;
    const auto ask = [&](std::size_t so_far) {
      if (so_far >= wanted && state.empty()) state = decoder->state_before(wanted);
    };
    ASSERT_EQ(run_decoder(*decoder, bytes, fixed_cuts(4096, 5000), text.size() + 1, ask).bytes,
              text);
    ASSERT_TRUE(is_text_state(state));
    Result<OpenedDecoder> resumed = resume_decoder(state, {});
    ASSERT_TRUE(resumed) << resumed.error().to_string();
    ASSERT_LE(resumed->decoded_offset, wanted);
    EXPECT_LE(wanted - resumed->decoded_offset, 600u << 10);
    EXPECT_EQ(
        run_decoder(*resumed->decoder, std::string_view(bytes).substr(resumed->encoded_offset),
                    fixed_cuts(1000, 777))
            .bytes,
        text.substr(resumed->decoded_offset))
        << encoding << " from " << wanted;
  }
}

TEST(TextDecoder, TextOfSingleBytesIsNotReadAsUtf16) {
  for (const char* encoding : {"UTF-16LE", "UTF-16BE", "UTF-32LE"}) {
    for (const std::size_t records : {1, 10, 100'000}) {
      for (const Cuts& cuts : {Cuts{}, fixed_cuts(3, 5), fixed_cuts(70'000, 1)}) {
        const Decoded decoded = decode_text(encoding, sample(records), cuts);
        EXPECT_EQ(decoded.bytes, "");
        ASSERT_TRUE(decoded.error.has_value()) << encoding << ", " << records << " records";
        EXPECT_EQ(decoded.error->code, ErrorCode::kCorrupt);
        EXPECT_NE(decoded.error->message.find(std::string("the text is not ") + encoding),
                  std::string::npos)
            << decoded.error->message;
      }
    }
  }
  std::string cyrillic;
  for (int i = 0; i < 20'000; ++i) cyrillic += "\xd0\xb4\xd0\xb0,\xd0\xbd\n";
  EXPECT_TRUE(decode_text("UTF-16BE", cyrillic).error);
  EXPECT_TRUE(decode_text("UTF-16BE",
                          "id,place\n1,Stra\xdf"
                          "e\n2,Weg\n3,Gasse\n")
                  .error);
  // Chinese without one zero byte.
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "\xe4\xb8\xad\xe6\x96\x87\xe6\x95\xb0\xe6\x8d\xae";
  EXPECT_EQ(decode_text("UTF-16LE", encoded_as("UTF-16LE", text)).bytes, text);
  text.resize(12);
  EXPECT_EQ(decode_text("UTF-16LE", encoded_as("UTF-16LE", text)).bytes, text);
  EXPECT_EQ(decode_text("UTF-16LE", "a\0"s).bytes, "a");
  EXPECT_EQ(decode_text("UTF-16LE", "").bytes, "");
}

TEST(TextDecoder, GoesOnFromItsState) {
  const std::string text = sample(60'000);
  for (const char* encoding : {"UTF-16LE", "CP1252"}) {
    check_restarts(encoding, encoded_as(encoding, text), text, [] { return nullptr; });
  }
}

TEST(TextDecoder, GoesOnFromItsStateBehindACompression) {
  const std::string text = sample(60'000);
  DecoderLimits limits;
  limits.restart_every_bytes = 300'000;
  check_restarts("UTF-16BE", gzip(encoded_as("UTF-16BE", text)), text,
                 [&] { return open_decoder(Encoding::kGzip, limits).decoder; });
}

TEST(TextDecoder, AFaultOfTheCompressionComesBehindTheTextInFrontOfIt) {
  const std::string text = sample(9'000);
  std::string bytes = gzip(encoded_as("UTF-16LE", text));
  bytes.resize(bytes.size() / 2);
  const std::unique_ptr<Decoder> decoder =
      make_text_decoder("UTF-16LE", open_decoder(Encoding::kGzip, {}).decoder, "");
  const Decoded decoded = run_decoder(*decoder, bytes);
  ASSERT_TRUE(decoded.error);
  EXPECT_NE(decoded.error->message.find("cut off"), std::string::npos);
  EXPECT_GT(decoded.bytes.size(), text.size() / 4);
  EXPECT_TRUE(text.starts_with(decoded.bytes));
}

TEST(TextDecoder, ForeignStatesAreRefused) {
  const std::string state = make_text_decoder("UTF-16LE", nullptr, "")->state_before(0);
  ASSERT_TRUE(resume_decoder(state, {}));
  for (std::size_t size = 0; size < state.size(); ++size) {
    EXPECT_FALSE(resume_decoder(state.substr(0, size), {})) << size;
  }
  EXPECT_FALSE(resume_decoder(state + "x", {}));
  std::string other = state;
  other[3] = 'X';
  EXPECT_FALSE(resume_decoder(other, {}));
}

}  // namespace
}  // namespace leat::parser
