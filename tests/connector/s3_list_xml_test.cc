#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "connector/s3/list_xml.h"
#include "tests/connector/vectors.h"

namespace leat::connector::s3 {
namespace {

Result<ListAnswer> read(std::string_view first, std::string_view second = {}) {
  ListXmlReader reader;
  for (const std::string_view part : {first, second}) {
    if (const auto fed = reader.feed(std::as_bytes(std::span(part))); !fed) return fed.error();
  }
  return reader.finish();
}

std::string object_xml(const std::string& key, const std::string& more = {}) {
  return "<Contents><Key>" + key +
         "</Key><LastModified>2026-11-20T16:51:27.123Z</LastModified>"
         "<ETag>&quot;abc&quot;</ETag><Size>42</Size>" +
         more + "</Contents>";
}

std::string listing(const std::string& inner) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
         inner + "</ListBucketResult>";
}

std::vector<std::tuple<std::string, std::string, std::uint64_t, std::int64_t>> fields_of(
    const ListAnswer& answer) {
  std::vector<std::tuple<std::string, std::string, std::uint64_t, std::int64_t>> fields;
  for (const ObjectVersion& object : answer.objects) {
    fields.emplace_back(object.key, object.version, object.size, object.modified_ms);
  }
  return fields;
}

TEST(S3ListXml, ReadsAPage) {
  const auto answer = read(listing(
      "<Name>b</Name><IsTruncated>true</IsTruncated>"
      "<NextContinuationToken>a+b%2F=</NextContinuationToken><EncodingType>url</EncodingType>" +
      object_xml("in/a+b%2Bc%20%26.csv", "<Owner><ID>1</ID></Owner>") + object_xml("z")));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  ASSERT_EQ(answer->objects.size(), 2u);
  EXPECT_EQ(answer->objects[0].key, "in/a b+c &.csv");
  EXPECT_EQ(answer->objects[0].version, "\"abc\"");
  EXPECT_EQ(answer->objects[0].size, 42u);
  EXPECT_EQ(answer->objects[0].modified_ms, 1'795'193'487'123);
  EXPECT_TRUE(answer->truncated);
  EXPECT_EQ(answer->next_token, "a+b%2F=");  // Never decoded.
}

TEST(S3ListXml, NothingOfAReusedObjectShows) {
  const ObjectVersion former{
      .key = "in/a former one of some length.csv", .version = "\"1\"", .size = 7, .modified_ms = 8};
  // One is left over, or there are too few.
  for (const std::size_t count : {3, 1}) {
    ListXmlReader reader(std::vector<ObjectVersion>(count, former));
    const std::string text = listing(object_xml("a%20") + object_xml("b"));
    ASSERT_TRUE(reader.feed(std::as_bytes(std::span(text))));
    const auto answer = reader.finish();
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(fields_of(*answer), fields_of(*read(text)));
  }
  ListXmlReader reader({former});
  const std::string text = listing("<Contents><Size>1</Size><Key>a</Key></Contents>");
  (void)reader.feed(std::as_bytes(std::span(text)));
  EXPECT_FALSE(reader.finish()) << "it has no ETag";
}

TEST(S3ListXml, DecodesKeysOnlyWhereTheAnswerSaysSo) {
  EXPECT_EQ(read(listing(object_xml("a+b%20c")))->objects[0].key, "a+b%20c");
  // Wherever it says so.
  EXPECT_EQ(
      read(listing(object_xml("a+b%20c") + "<EncodingType>url</EncodingType>"))->objects[0].key,
      "a b c");
  const auto broken = read(listing("<EncodingType>url</EncodingType>" + object_xml("a%zz")));
  EXPECT_EQ(broken.error().code, ErrorCode::kCorrupt);
}

TEST(S3ListXml, ReadsWhatBotocoreRecorded) {
  const auto folder = vectors_folder("s3-xml");
  if (folder.empty()) {
    GTEST_SKIP() << "the XML vectors are not here: set LEAT_VECTORS_DIR to their folder";
  }
  const auto answer = read(read_text(folder / "responses" / "s3-list-objects.xml"));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  ASSERT_EQ(answer->objects.size(), 2u);
  EXPECT_EQ(answer->objects[1].key, "key2");
  EXPECT_EQ(answer->objects[1].version, "\"1d921b22129502cbbe5cbaf2c8bac682\"");
  EXPECT_EQ(answer->objects[1].size, 1'234u);
  const auto error = read(read_text(folder / "errors" / "s3-list-objects.xml"));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->error->code, "AccessDenied");
  EXPECT_EQ(error->error->request_id, "9C7D5181867045BB");
}

TEST(S3ListXml, DoesNotDependOnWhereTheAnswerIsCut) {
  const std::string text =
      listing("<IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>" +
              object_xml("a%20&lt;\xc3\xa9") + object_xml("b") +
              "<NextContinuationToken>t&amp;u</NextContinuationToken>");
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const auto answer = read(text.substr(0, cut), text.substr(cut));
    ASSERT_TRUE(answer.has_value()) << cut << ": " << answer.error().message;
    ASSERT_EQ(answer->objects.size(), 2u) << cut;
    EXPECT_EQ(answer->objects[0].key, "a <\xc3\xa9") << cut;
    EXPECT_EQ(answer->next_token, "t&u") << cut;
  }
}

TEST(S3ListXml, AnAnswerThatIsCutOffIsNeverTakenForAWholeOne) {
  const std::string text = listing(object_xml("a") + "<IsTruncated>false</IsTruncated>");
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto answer = read(text.substr(0, length));
    ASSERT_FALSE(answer.has_value()) << length;
    EXPECT_EQ(answer.error().code, ErrorCode::kCorrupt);
    EXPECT_TRUE(answer.error().retryable) << length;
  }
}

TEST(S3ListXml, KnowsAnErrorByItsRootWhateverTheStatusSaid) {
  const auto answer = read(
      "<Error><Code>InternalError</Code><Message>try again</Message>"
      "<Region>eu-west-1</Region></Error>");
  ASSERT_TRUE(answer.has_value());
  ASSERT_TRUE(answer->error.has_value());
  EXPECT_EQ(answer->error->code, "InternalError");
  EXPECT_EQ(answer->error->message, "try again");
  EXPECT_EQ(answer->error->region, "eu-west-1");
}

TEST(S3ListXml, RefusesOtherDocuments) {
  for (const std::string_view text :
       {"<html><body>Please log in</body></html>", "", "not xml", "{}"}) {
    const auto answer = read(text);
    ASSERT_FALSE(answer.has_value()) << text;
    EXPECT_EQ(answer.error().code, ErrorCode::kCorrupt);
    EXPECT_TRUE(answer.error().retryable);
  }
  // Where the host names the bucket, and the service does not know it for one.
  const auto buckets = read("<ListAllMyBucketsResult/>");
  ASSERT_FALSE(buckets.has_value());
  EXPECT_EQ(buckets.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(buckets.error().retryable);
}

TEST(S3ListXml, ExpandsNoEntities) {
  std::string bomb = "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\">";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += std::string("<!ENTITY ") + c + " \"";
    for (int i = 0; i < 10; ++i) bomb += std::string("&") + static_cast<char>(c - 1) + ";";
    bomb += "\">";
  }
  for (const std::string& text :
       {bomb + "]>" + listing(object_xml("&j;")),
        std::string("<!DOCTYPE l [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>") +
            "<ListBucketResult>" + object_xml("&x;") + "</ListBucketResult>",
        listing(object_xml("&undefined;"))}) {
    const auto answer = read(text);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_NE(read(bomb + "]><a/>").error().message.find("document type"), std::string::npos);
}

TEST(S3ListXml, IsBoundedInDepthAndSize) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "<a>";
  EXPECT_NE(read("<ListBucketResult>" + deep).error().message.find("nested"), std::string::npos);
  EXPECT_NE(read(listing(object_xml(std::string(XmlReader::kTextBytesMax + 1, 'k'))))
                .error()
                .message.find("too long"),
            std::string::npos);

  ListXmlReader endless;
  const std::string start = "<ListBucketResult>";
  ASSERT_TRUE(endless.feed(std::as_bytes(std::span(start))).has_value());
  const std::string filler(std::size_t{1} << 20, ' ');
  Result<void> fed;
  std::size_t fed_bytes = 0;
  const std::string element = "<Name>x</Name>";
  while (fed && fed_bytes <= 2 * XmlReader::kDocumentBytesMax) {
    fed = endless.feed(std::as_bytes(std::span(element)));
    if (fed) fed = endless.feed(std::as_bytes(std::span(filler)).first(60'000));
    fed_bytes += 60'000 + element.size();
  }
  ASSERT_FALSE(fed.has_value());
  EXPECT_NE(fed.error().message.find("16 MiB"), std::string::npos) << fed.error().message;
  EXPECT_FALSE(endless.finish().has_value());  // And stays so.
}

TEST(S3ListXml, APageThatGoesOnMustSayWhere) {
  const auto answer = read(listing("<IsTruncated>true</IsTruncated>" + object_xml("a")));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(answer.error().retryable);
}

TEST(S3ListXml, AnEmptyPageIsAPage) {
  const auto answer =
      read(listing("<IsTruncated>true</IsTruncated>"
                   "<NextContinuationToken>t</NextContinuationToken>"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->objects.empty());
  EXPECT_TRUE(answer->truncated);
}

TEST(S3ListXml, RefusesObjectsThatLackWhatIdentifiesThem) {
  for (const std::string inner :
       {"<Contents><Key>a</Key><ETag>\"e\"</ETag></Contents>",
        "<Contents><Key>a</Key><ETag>\"e\"</ETag><Size>1x</Size></Contents>",
        "<Contents><Key>a</Key><ETag>\"e\"</ETag><Size>-1</Size></Contents>",
        "<Contents><Key>a</Key><ETag>\"e\"</ETag><Size>99999999999999999999</Size></Contents>",
        "<Contents><Key>a</Key><Size>1</Size></Contents>",
        "<Contents><ETag>\"e\"</ETag><Size>1</Size></Contents>"}) {
    const auto answer = read(listing(inner));
    ASSERT_FALSE(answer.has_value()) << inner;
    EXPECT_EQ(answer.error().code, ErrorCode::kCorrupt);
  }
}

TEST(S3ListXml, ReadsTimes) {
  EXPECT_EQ(parse_iso_time("2013-01-10T21:45:09.000Z"), 1'357'854'309'000);
  EXPECT_EQ(parse_iso_time("2013-01-10T21:45:09Z"), 1'357'854'309'000);
  EXPECT_EQ(parse_iso_time("2013-01-10T21:45:09.1Z"), 1'357'854'309'100);
  EXPECT_EQ(parse_iso_time("2013-01-10T21:45:09.123456789Z"), 1'357'854'309'123);
  for (const char* text : {"", "2013-01-10", "2013-01-10T21:45:09", "yesterday"}) {
    EXPECT_FALSE(parse_iso_time(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace leat::connector::s3
