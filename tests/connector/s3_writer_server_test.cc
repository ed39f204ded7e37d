// Writing to a real service. See tests/servers/radosgw.

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "connector/s3/s3_client.h"
#include "connector/s3/s3_store.h"
#include "connector/s3/s3_upload.h"
#include "connector/s3/s3_writer.h"
#include "connector/s3/uri_encoding.h"

namespace leat::connector::s3 {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

bool is_changed(const Result<void>& result) {
  return !result && result.error().code == ErrorCode::kObjectChanged;
}

class S3WriterServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (variable("LEAT_TEST_S3_ENDPOINT").empty()) {
      GTEST_SKIP() << "LEAT_TEST_S3_ENDPOINT is not set: start tests/servers/radosgw";
    }
    StoreOptions options;
    options.s3.endpoint_url = variable("LEAT_TEST_S3_ENDPOINT");
    options.s3.credentials =
        S3Credentials{.access_key_id = variable("LEAT_TEST_S3_ACCESS_KEY"),
                      .secret_access_key = Secret(variable("LEAT_TEST_S3_SECRET_KEY")),
                      .session_token = Secret()};
    options.s3.attempts_max = 3;
    auto client = make_s3_client("leat-write-" + std::to_string(std::random_device{}()), options);
    ASSERT_TRUE(client.has_value()) << client.error().to_string();
    client_ = *std::move(client);
    ASSERT_TRUE(client_->create_bucket().has_value());
  }

  S3Writer writer(S3WriterOptions options = {}) { return S3Writer(client_->requester(), options); }

  std::vector<ObjectVersion> list() {
    auto page = client_->list_page("", "", "");
    EXPECT_TRUE(page.has_value());
    return page ? page->objects : std::vector<ObjectVersion>();
  }
  std::string text_of(const ObjectVersion& object) {
    std::string text(object.size, ' ');
    if (text.empty()) return text;
    const auto read =
        client_->read_range(object, {0, object.size}, std::as_writable_bytes(std::span(text)));
    EXPECT_TRUE(read.has_value()) << read.error().to_string();
    return text;
  }
  /// Uploads that were begun and neither completed nor aborted.
  std::string uploads() {
    auto answer = client_->requester().perform({.operation = RequestContext::Operation::kList,
                                                .method = "GET",
                                                .query = {{"uploads", ""}}});
    EXPECT_TRUE(answer.has_value()) << answer.error().to_string();
    return answer ? answer->body : std::string();
  }
  static std::string random_text(std::size_t length, unsigned seed) {
    std::mt19937 generator(seed);
    std::string text(length, ' ');
    for (char& c : text) c = static_cast<char>(generator());
    return text;
  }

  std::unique_ptr<S3Client> client_;
};

TEST_F(S3WriterServerTest, CopiesDeletesAndTagsAVersion) {
  const S3Writer writer = this->writer();
  ASSERT_TRUE(writer.put("a b+c%", "one").has_value());
  const ObjectVersion object = list().at(0);
  auto done = writer.copy(object, "copy/of +it");
  ASSERT_TRUE(done.has_value()) << done.error().to_string();
  EXPECT_EQ(text_of(list().at(1)), "one");
  for (const char* value : {"1", "2 <&>"}) {
    done = writer.tag(object, "loaded", value);
    EXPECT_TRUE(done.has_value()) << done.error().to_string();
  }
  done = writer.tag(object, "other", "x");
  EXPECT_TRUE(done.has_value()) << done.error().to_string();
  WriteAnswerReader reader("Tagging");
  EXPECT_TRUE(client_->requester()
                  .perform({.operation = RequestContext::Operation::kTag,
                            .key = object.key,
                            .method = "GET",
                            .query = {{"tagging", ""}}},
                           {}, reader.check())
                  .has_value());
  EXPECT_EQ(reader.answer().tags,
            (std::map<std::string, std::string>{{"loaded", "2 <&>"}, {"other", "x"}}));

  ASSERT_TRUE(writer.put("b", "moved").has_value());
  const ObjectVersion other = list().at(1);
  ASSERT_EQ(other.key, "b");
  for (int i = 0; i < 2; ++i) {  // The second time is as after a crash.
    done = writer.move(other, "moved/b");
    EXPECT_TRUE(done.has_value()) << done.error().to_string();
  }
  EXPECT_EQ(list().at(2).key, "moved/b");
  EXPECT_TRUE(writer.remove(list().at(2)).has_value());

  ASSERT_TRUE(writer.put("a b+c%", "two").has_value());
  EXPECT_TRUE(is_changed(writer.remove(object)));
  EXPECT_TRUE(is_changed(writer.copy(object, "late")));
  EXPECT_TRUE(is_changed(writer.tag(object, "late", "x")));
  const auto now = list();
  ASSERT_EQ(now.size(), 2u);
  for (const ObjectVersion& left : now) {
    done = writer.remove(left);
    EXPECT_TRUE(done.has_value()) << done.error().to_string();
    EXPECT_TRUE(writer.remove(left).has_value());  // What is not there is deleted.
  }
  EXPECT_TRUE(list().empty());
}

TEST_F(S3WriterServerTest, DeletesManyKeysOfEveryKind) {
  std::vector<std::string> keys = {
      "a&<b>\"'",  "with\ttab", "with\rreturn", "with\nline", std::string("\x01", 1),
      "  blank  ", "ü€😀"};
  for (int i = 0; i < 1'005; ++i) keys.push_back("many/" + std::to_string(i));
  for (const std::string& key : keys) {
    const auto put = writer().put(key, "x");
    ASSERT_TRUE(put.has_value()) << put.error().to_string();
  }
  keys.emplace_back("never there");
  const auto failures = writer().remove_all(keys);
  ASSERT_TRUE(failures.has_value()) << failures.error().to_string();
  EXPECT_TRUE(failures->empty()) << failures->front().key << ": " << failures->front().code;
  EXPECT_TRUE(list().empty());
}

TEST_F(S3WriterServerTest, UploadsInPartsAndLeavesNothingBehind) {
  const std::string text = random_text((20u << 20) + 7, 1);
  ObjectUpload upload(client_->requester(), "large");
  for (std::size_t at = 0; at < text.size(); at += 1'234'567) {
    ASSERT_TRUE(upload.write(std::string_view(text).substr(at, 1'234'567)).has_value());
  }
  EXPECT_TRUE(list().empty());  // Nothing is seen of it before it is complete.
  const auto etag = upload.finish();
  ASSERT_TRUE(etag.has_value()) << etag.error().to_string();
  const ObjectVersion object = list().at(0);
  EXPECT_EQ(object.size, text.size());
  EXPECT_TRUE(text_of(object) == text);

  auto done =
      writer({.copy_bytes_max = 1u << 20, .copy_part_bytes = 5u << 20}).copy(object, "parts");
  ASSERT_TRUE(done.has_value()) << done.error().to_string();
  EXPECT_TRUE(text_of(list().at(1)) == text);
  {
    ObjectUpload given_up(client_->requester(), "given-up");
    EXPECT_TRUE(given_up.write(text).has_value());
    EXPECT_NE(uploads().find("given-up"), std::string::npos);
  }
  EXPECT_EQ(uploads().find("<Upload>"), std::string::npos);
  EXPECT_EQ(list().size(), 2u);
}

TEST_F(S3WriterServerTest, OpenUploadsAreListedByTheirKeys) {
  auto upload = MultipartUpload::begin(client_->requester(), "a b+%/k", {}, {});
  ASSERT_TRUE(upload.has_value()) << upload.error().to_string();
  WriteAnswerReader reader("ListMultipartUploadsResult");
  const auto answer = client_->requester().perform(
      {.operation = RequestContext::Operation::kList,
       .method = "GET",
       .query = {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", "a b+%/k"}}},
      {}, reader.check());
  ASSERT_TRUE(answer.has_value()) << answer.error().to_string();
  ASSERT_EQ(reader.answer().uploads.size(), 1u);
  const std::string& key = reader.answer().uploads[0].key;
  EXPECT_TRUE(key == "a b+%/k" || percent_decode(key, true) == "a b+%/k") << key;
}

TEST_F(S3WriterServerTest, ACompletionThatWasDoneAlreadyIsOne) {
  auto upload = MultipartUpload::begin(client_->requester(), "k", {}, {});
  ASSERT_TRUE(upload.has_value()) << upload.error().to_string();
  ASSERT_TRUE(upload->add("only part").has_value());
  const auto first = upload->complete();
  ASSERT_TRUE(first.has_value()) << first.error().to_string();
  const auto head = writer().head("k");
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->size, 9u);
  EXPECT_EQ(head->write_mark.size(), 32u);
}

}  // namespace
}  // namespace leat::connector::s3
