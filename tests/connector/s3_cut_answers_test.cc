// Answers whose document is cut at every byte, while the HTTP around it is whole: none of them is
// taken for an answer, and the next attempt brings the right one.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "connector/s3/s3_client.h"
#include "connector/s3/s3_upload.h"
#include "connector/s3/s3_writer.h"
#include "tests/connector/fake_transport.h"
#include "tests/support/manual_clock.h"

namespace leat::connector::s3 {
namespace {

const std::string kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const std::string kBegun = kDeclaration +
                           "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key>"
                           "<UploadId>up</UploadId></InitiateMultipartUploadResult>";
const std::string kPage =
    kDeclaration +
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
    "<Contents><Key>a+b%2B</Key><LastModified>2026-11-20T16:51:27.000Z</LastModified>"
    "<ETag>&quot;e&quot;</ETag><Size>12</Size></Contents><Contents><Key>c</Key>"
    "<ETag>&quot;f&quot;</ETag><Size>345</Size></Contents><EncodingType>url</EncodingType>"
    "<IsTruncated>true</IsTruncated><NextContinuationToken>t/1=</NextContinuationToken>"
    "</ListBucketResult>";

class S3CutAnswers : public ::testing::Test {
 protected:
  /// A client whose service gives these answers in turn.
  S3Client& client(std::vector<FakeTransport::Step> steps) {
    auto transport = std::make_unique<FakeTransport>();
    transport_ = transport.get();
    for (FakeTransport::Step& step : steps) transport->then(std::move(step));
    S3ClientOptions options;
    options.bucket = "b";
    options.endpoint = Endpoint{.tls = false, .authority = "host:9000", .path_prefix = {}};
    options.clock = &clock_;
    options.random = [] { return 0.5; };
    client_ = std::make_unique<S3Client>(std::move(options), std::move(transport));
    return *client_;
  }

  /// Performs an operation once for each cut: `before` are answered, then comes the cut `document`,
  /// then the whole one, then `after`. `same` says whether the operation came to its true result.
  void cut_everywhere(const std::string& document, const std::vector<FakeTransport::Step>& before,
                      const std::vector<FakeTransport::Step>& between,
                      const std::vector<FakeTransport::Step>& after,
                      const std::function<bool(S3Client&)>& same) {
    for (std::size_t end = 0; end < document.size(); ++end) {
      std::vector<FakeTransport::Step> steps = before;
      steps.push_back(answer(200, document.substr(0, end), {{"ETag", "\"h\""}}));
      steps.insert(steps.end(), between.begin(), between.end());
      steps.push_back(answer(200, document, {{"ETag", "\"h\""}}));
      steps.insert(steps.end(), after.begin(), after.end());
      const std::size_t expected = steps.size();
      EXPECT_TRUE(same(client(std::move(steps)))) << "cut at byte " << end;
      EXPECT_EQ(transport_->seen().size(), expected) << "cut at byte " << end;
      if (HasFailure()) return;
    }
  }

  testing::ManualClock clock_;
  FakeTransport* transport_ = nullptr;
  std::unique_ptr<S3Client> client_;
  const ObjectVersion source_{.key = "k", .version = "\"h\"", .size = 9};
  const FakeTransport::Step done_ = answer(200, "", {{"ETag", "\"h\""}});
};

TEST_F(S3CutAnswers, Listing) {
  cut_everywhere(kPage, {}, {}, {}, [](S3Client& client) {
    const auto page = client.list_page("", "", "");
    return page && page->objects.size() == 2 && page->objects[0].key == "a b+" &&
           page->objects[1].size == 345 && page->next_token == "t/1=";
  });
}

TEST_F(S3CutAnswers, DeletionOfMany) {
  cut_everywhere(kDeclaration +
                     "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Error>"
                     "<Key>a</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
                     "<Error><Key>b</Key><Code>InternalError</Code></Error></DeleteResult>",
                 {}, {}, {}, [](S3Client& client) {
                   const std::vector<std::string> keys = {"a", "b", "c"};
                   const auto failures = S3Writer(client.requester()).remove_all(keys);
                   return failures && failures->size() == 2 && (*failures)[1].key == "b";
                 });
}

TEST_F(S3CutAnswers, BeginningOfAnUpload) {
  // As one may have been begun, the open uploads are looked at.
  cut_everywhere(kBegun, {}, {}, {answer(200, "<ListMultipartUploadsResult/>"), answer(204, "")},
                 [](S3Client& client) {
                   return MultipartUpload::begin(client.requester(), "k", {}, {}).has_value();
                 });
}

TEST_F(S3CutAnswers, ListOfOpenUploads) {
  cut_everywhere(
      "<ListMultipartUploadsResult><Upload><Key>k</Key><UploadId>lost</UploadId></Upload>"
      "</ListMultipartUploadsResult>",
      {transport_failure(TransportFailure::Kind::kBroken), answer(200, kBegun)}, {},
      {answer(204, ""), answer(204, "")}, [](S3Client& client) {
        return MultipartUpload::begin(client.requester(), "k", {}, {}).has_value();
      });
}

TEST_F(S3CutAnswers, CompletionOfAnUpload) {
  // Blank space keeps the connection alive while the service works.
  cut_everywhere("   \n  " + kDeclaration +
                     "<CompleteMultipartUploadResult><Key>k</Key><ETag>&quot;e-1&quot;</ETag>"
                     "</CompleteMultipartUploadResult>",
                 {answer(200, kBegun), done_}, {}, {}, [](S3Client& client) {
                   auto upload = MultipartUpload::begin(client.requester(), "k", {}, {});
                   if (!upload || !upload->add("part")) return false;
                   const auto etag = upload->complete();
                   return etag && *etag == "\"e-1\"";
                 });
}

TEST_F(S3CutAnswers, Copy) {
  cut_everywhere("<CopyObjectResult><ETag>e</ETag></CopyObjectResult>", {done_}, {}, {done_},
                 [&](S3Client& client) {
                   return S3Writer(client.requester()).copy(source_, "new").has_value();
                 });
}

TEST_F(S3CutAnswers, CopyOfAPart) {
  cut_everywhere(
      "<CopyPartResult><ETag>e</ETag></CopyPartResult>", {done_, answer(200, kBegun)}, {},
      {done_, answer(200, "<CompleteMultipartUploadResult/>")}, [&](S3Client& client) {
        return S3Writer(client.requester(), {.copy_bytes_max = 1}).copy(source_, "new").has_value();
      });
}

TEST_F(S3CutAnswers, Tags) {
  cut_everywhere("<Tagging><TagSet><Tag><Key>x</Key><Value>1</Value></Tag></TagSet></Tagging>",
                 {done_}, {}, {done_}, [&](S3Client& client) {
                   if (!S3Writer(client.requester()).tag(source_, "y", "2")) return false;
                   return transport_->seen().back().body.find("<Key>x</Key><Value>1</Value>") !=
                          std::string::npos;
                 });
}

// An error says the same however much of it arrives: where the code is needed and did not come, the
// request is sent again.
TEST_F(S3CutAnswers, Errors) {
  struct Case {
    int status;
    const char* code;
    ErrorCode expected;
  };
  for (const Case& one : {Case{403, "AccessDenied", ErrorCode::kPermissionDenied},
                          Case{404, "NoSuchKey", ErrorCode::kNotFound},
                          Case{412, "PreconditionFailed", ErrorCode::kObjectChanged},
                          Case{400, "InvalidArgument", ErrorCode::kInvalidArgument},
                          Case{400, "ExpiredToken", ErrorCode::kPermissionDenied},
                          Case{200, "AccessDenied", ErrorCode::kPermissionDenied}}) {
    SCOPED_TRACE(one.code);
    const std::string document = kDeclaration + "<Error><Code>" + one.code +
                                 "</Code><Message>Words.</Message><RequestId>1</RequestId></Error>";
    for (std::size_t end = document.find("<Error>") + 7; end < document.size(); ++end) {
      S3Client& asked =
          client({answer(one.status, document.substr(0, end)), answer(one.status, document)});
      const std::vector<std::string> keys = {"k"};
      const auto removed = S3Writer(asked.requester()).remove_all(keys);
      ASSERT_FALSE(removed.has_value());
      EXPECT_EQ(removed.error().code, one.expected) << end << " " << removed.error().to_string();
      const bool has_code = end >= document.find("</Code>") + 7;
      const bool told_by_status = one.status != 400 && one.status != 200;
      EXPECT_EQ(transport_->seen().size(), has_code || told_by_status ? 1u : 2u) << end;
    }
  }
}

}  // namespace
}  // namespace leat::connector::s3
