#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "connector/glob.h"
#include "leat/object_store.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

SourceUri parsed(std::string_view text) {
  const Result<SourceUri> uri = parse_source_uri(text);
  EXPECT_TRUE(uri.has_value()) << text << ": " << (uri ? "" : uri.error().message);
  return uri ? *uri : SourceUri{};
}

TEST(SourceUri, KeepsKeysOfS3ByteForByte) {
  for (const auto& [text, bucket, pattern] : std::vector<std::array<std::string_view, 3>>{
           {"s3://bucket/in/**/*.csv", "bucket", "in/**/*.csv"},
           {"S3://bucket/a", "bucket", "a"},
           {"s3://my.bucket-1/a//b/./../c", "my.bucket-1", "a//b/./../c"},
           {"s3://bucket//a", "bucket", "/a"},
           {"s3://bucket/a%20b c+d", "bucket", "a%20b c+d"},
           {"s3://bucket/a?b#c", "bucket", "a?b#c"},
           {"s3://bucket", "bucket", "**"},
           {"s3://bucket/", "bucket", "**"},
           {"s3://bucket/in/", "bucket", "in/**"},
       }) {
    const SourceUri uri = parsed(text);
    EXPECT_EQ(uri.scheme, SourceUri::Scheme::kS3) << text;
    EXPECT_EQ(uri.bucket, bucket) << text;
    EXPECT_EQ(uri.pattern, pattern) << text;
  }
}

TEST(SourceUri, NormalisesLocalPathsByTheirTextAlone) {
  for (const auto& [text, pattern] : std::vector<std::array<std::string_view, 2>>{
           {"/no/such/a.csv", "/no/such/a.csv"},
           {"/no//such///*.csv", "/no/such/*.csv"},
           {"/no/./such/../a.csv", "/no/a.csv"},
           {"/../a.csv", "/a.csv"},
           {"/no/such/", "/no/such/**"},
           {"/no/such/.", "/no/such/**"},
           {"/no/such/..", "/no/**"},
           {"/no/**/x/../*.csv", "/no/**/*.csv"},
           {"/no/{a/../b,c//d}/x", "/no/{a/../b,c//d}/x"},
           {"/no/[x]/{a,b}//c", "/no/[x]/{a,b}/c"},
           {"/no/a\\*b", "/no/a\\*b"},
           {"/", "/**"},
           {"file:///no/such/*.csv", "/no/such/*.csv"},
           {"FILE:///no/such", "/no/such"},
           {"file:/no/such", "/no/such"},
           {"file://localhost/no/such", "/no/such"},
           {"file:///no/a%20b%2Fc", "/no/a b/c"},
           {"file:///no/%2A%5b.csv", "/no/\\*\\[.csv"},
           {"file:///no/caf%C3%A9", "/no/caf\xc3\xa9"},
       }) {
    const SourceUri uri = parsed(text);
    EXPECT_EQ(uri.scheme, SourceUri::Scheme::kLocal) << text;
    EXPECT_EQ(uri.bucket, "") << text;
    EXPECT_EQ(uri.pattern, pattern) << text;
  }
}

TEST(SourceUri, TakesRelativePathsFromTheCurrentFolder) {
  const TemporaryFolder folder("odd [name] {x}");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const std::string here = connector::escape_glob(fs::current_path().native());
  EXPECT_EQ(parsed("data/*.csv").pattern, here + "/data/*.csv");
  EXPECT_EQ(parsed("./a.csv").pattern, here + "/a.csv");
  EXPECT_EQ(parsed(".").pattern, here + "/**");
  EXPECT_EQ(parsed("a:b.csv").pattern, here + "/a:b.csv");
  fs::current_path(before);
}

TEST(SourceUri, TakesAFolderForEverythingBelowIt) {
  const TemporaryFolder folder("leat");
  fs::create_directories(folder.path() / "in" / "deep");
  fs::create_directory_symlink(folder.path() / "in", folder.path() / "link");
  const std::string root = folder.path().native();
  EXPECT_EQ(parsed(root + "/in").pattern, root + "/in/**");
  EXPECT_EQ(parsed(root + "/in/deep/").pattern, root + "/in/deep/**");
  EXPECT_EQ(parsed(root + "/link").pattern, root + "/link/**");  // The link itself is kept.
  EXPECT_EQ(parsed(root + "/later").pattern, root + "/later");
}

TEST(SourceUri, RefusesALinkToAFileInsteadOfSkippingItSilently) {
  const TemporaryFolder folder("leat");
  std::ofstream(folder.path() / "a.csv") << "x\n";
  fs::create_symlink("a.csv", folder.path() / "current.csv");
  const auto uri = parse_source_uri((folder.path() / "current.csv").native());
  ASSERT_FALSE(uri.has_value());
  EXPECT_NE(uri.error().message.find("symbolic link"), std::string::npos);
}

TEST(SourceUri, SaysWhatIsWrong) {
  for (const auto& [text, part] : std::vector<std::array<std::string_view, 2>>{
           {"", "empty"},
           {"s3://", "names no bucket"},
           {"s3:///key", "names no bucket"},
           {"s3://buc*ket/key", "no bucket name"},
           {"s3://ab/key", "no bucket name"},
           {"s3://a b c/key", "no bucket name"},
           {"gs://bucket/key", "'gs://'"},
           {"https://host/key", "'https://'"},
           {"file://host/key", "'host'"},
           {"file://", "no absolute path"},
           {"file:relative", "no absolute path"},
           {"file:///a%2", "%25"},
           {"file:///a%zz", "%25"},
           {"file:///a%00", "zero byte"},
           {"s3://bucket/{a", "position 1"},
           {"/a/[b", "position 4"},
           {"/a/*/../b", "'..'"},
       }) {
    const Result<SourceUri> uri = parse_source_uri(text);
    ASSERT_FALSE(uri.has_value()) << text;
    EXPECT_EQ(uri.error().code, ErrorCode::kInvalidArgument) << text;
    EXPECT_NE(uri.error().message.find(part), std::string::npos) << uri.error().message;
  }
}

}  // namespace
}  // namespace leat
