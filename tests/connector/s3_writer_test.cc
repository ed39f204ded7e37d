// Writing, against a service that answers as a test tells it to.

#include "connector/s3/s3_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "connector/s3/s3_upload.h"
#include "tests/connector/fake_transport.h"
#include "tests/support/manual_clock.h"

namespace leat::connector::s3 {
namespace {

using Kind = TransportFailure::Kind;

constexpr const char* kBegun =
    "<InitiateMultipartUploadResult><UploadId>up/1</UploadId></InitiateMultipartUploadResult>";
constexpr const char* kCompleted =
    "<CompleteMultipartUploadResult><ETag>\"e-2\"</ETag></CompleteMultipartUploadResult>";

class S3WriterTest : public ::testing::Test {
 protected:
  S3WriterTest() {
    auto transport = std::make_unique<FakeTransport>();
    transport_ = transport.get();
    S3RequesterOptions options;
    options.bucket = "b";
    options.endpoint = Endpoint{.tls = false, .authority = "s3:9000", .path_prefix = {}};
    options.clock = &clock_;
    options.random = [] { return 0.5; };
    options.retry.attempts_max = 3;
    requester_ = std::make_unique<S3Requester>(std::move(options), std::move(transport));
  }

  /// "PUT /b/k?x" of each request so far.
  std::vector<std::string> requests() const {
    std::vector<std::string> lines;
    for (const auto& seen : transport_->seen()) {
      lines.push_back(seen.request.method + " " + seen.request.url.substr(14));
    }
    return lines;
  }
  S3Writer writer() {
    return S3Writer(*requester_, {.copy_bytes_max = 100, .copy_part_bytes = 40});
  }

  /// Answers a HEAD with the mark that the first request carried.
  FakeTransport::Step head_of_our_write(std::string size = "0") {
    return [this, size](const HttpRequest&, const BodySink&) {
      return HttpExchange{
          .response = {.status = 200,
                       .headers = {{"ETag", "\"ours\""},
                                   {"Content-Length", size},
                                   {"x-amz-meta-leat-write",
                                    transport_->seen()[0].header("x-amz-meta-leat-write")}}},
          .failure = std::nullopt};
    };
  }
  using Requests = std::vector<std::string>;

  testing::ManualClock clock_;
  FakeTransport* transport_ = nullptr;
  std::unique_ptr<S3Requester> requester_;
};

TEST_F(S3WriterTest, PutsOnlyWhereNothingIs) {
  transport_->then(answer(200, "", {{"ETag", "\"e\""}}));
  EXPECT_EQ(*writer().put("k", "text", true), "\"e\"");
  EXPECT_EQ(transport_->seen()[0].header("If-None-Match"), "*");
  EXPECT_EQ(transport_->seen()[0].body, "text");
}

TEST_F(S3WriterTest, TellsALostAnswerFromAnotherWritersObject) {
  transport_->then(transport_failure(Kind::kBroken))
      .then(error_answer(412, "PreconditionFailed"))
      .then(head_of_our_write());
  EXPECT_EQ(*writer().put("k", "text", true), "\"ours\"");

  transport_->then(error_answer(412, "PreconditionFailed"))
      .then(answer(200, "", {{"x-amz-meta-leat-write", "another"}}));
  const auto refused = writer().put("k", "text", true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kObjectChanged);
  EXPECT_NE(refused.error().message.find("there is an object already"), std::string::npos);
}

TEST_F(S3WriterTest, PutsAgainAfterAConflict) {
  transport_->then(error_answer(409, "ConditionalRequestConflict"))
      .then(answer(200, "", {{"ETag", "e"}}));
  EXPECT_TRUE(writer().put("k", "text", true).has_value());
  EXPECT_EQ(requests(), (Requests{"PUT /b/k", "PUT /b/k"}));
}

TEST_F(S3WriterTest, CopiesAVersion) {
  const auto copied = answer(200, "  \n<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>");
  transport_->then(answer(200, "")).then(copied).then(answer(200, ""));
  EXPECT_TRUE(writer().copy({.key = "a b+c", .version = "v", .size = 100}, "new/k").has_value());
  EXPECT_EQ(requests(), (Requests{"HEAD /b/a%20b%2Bc", "PUT /b/new/k", "HEAD /b/a%20b%2Bc"}));
  EXPECT_EQ(transport_->seen()[0].header("If-Match"), "\"v\"");
  EXPECT_EQ(transport_->seen()[1].header("x-amz-copy-source"), "/b/a%20b%2Bc");
  EXPECT_EQ(transport_->seen()[1].header("x-amz-copy-source-if-match"), "\"v\"");

  transport_->then(answer(412, ""));
  EXPECT_EQ(writer().copy({.key = "a", .version = "v", .size = 1}, "n").error().code,
            ErrorCode::kObjectChanged);
  EXPECT_EQ(requests().size(), 4u);
  // Replaced in the meantime, by a service that does not heed the condition: the copy goes.
  transport_->then(answer(200, "")).then(copied).then(answer(412, "")).then(answer(204, ""));
  EXPECT_EQ(writer().copy({.key = "a", .version = "v", .size = 1}, "n").error().code,
            ErrorCode::kObjectChanged);
  EXPECT_EQ(requests().back(), "DELETE /b/n");
}

// Status 200 does not say that it worked.
TEST_F(S3WriterTest, ASuccessThatIsAnErrorIsNoSuccess) {
  const auto there = answer(200, "");
  transport_->then(there)
      .then(error_answer(200, "InternalError"))
      .then(answer(200, "<CopyObjectResult><ETag>"))
      .then(answer(200, "<CopyObjectResult/>"))
      .then(there);
  EXPECT_TRUE(writer().copy({.key = "a", .version = "v", .size = 1}, "n").has_value());
  EXPECT_EQ(requests().size(), 5u);
  transport_->then(there).then(error_answer(200, "AccessDenied"));
  EXPECT_EQ(writer().copy({.key = "a", .version = "v", .size = 1}, "n").error().code,
            ErrorCode::kPermissionDenied);
  transport_->otherwise(answer(200, ""));
  EXPECT_EQ(writer().copy({.key = "a", .version = "v", .size = 1}, "n").error().code,
            ErrorCode::kUnavailable);
}

TEST_F(S3WriterTest, CopiesLargeObjectsInParts) {
  transport_->then(answer(200, "")).then(answer(200, kBegun));
  for (int i = 0; i < 3; ++i) {
    transport_->then(answer(200, "<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>"));
  }
  transport_->then(answer(200, "")).then(answer(200, kCompleted));
  EXPECT_TRUE(writer().copy({.key = "a", .version = "v", .size = 101}, "n").has_value());
  EXPECT_EQ(
      requests(),
      (Requests{"HEAD /b/a", "POST /b/n?uploads=", "PUT /b/n?partNumber=1&uploadId=up%2F1",
                "PUT /b/n?partNumber=2&uploadId=up%2F1", "PUT /b/n?partNumber=3&uploadId=up%2F1",
                "HEAD /b/a", "POST /b/n?uploadId=up%2F1"}));
  EXPECT_EQ(transport_->seen()[4].header("x-amz-copy-source-range"), "bytes=80-100");
}

// Some services do not decode the name of the source as they should.
TEST_F(S3WriterTest, ASourceThatIsThereIsNotTakenForGone) {
  transport_->then(answer(200, "")).then(error_answer(404, "NoSuchKey")).then(answer(200, ""));
  const auto moved = writer().move({.key = "a+b", .version = "v", .size = 3}, "new");
  ASSERT_FALSE(moved.has_value());
  EXPECT_EQ(moved.error().code, ErrorCode::kUnsupported) << moved.error().to_string();
}

TEST_F(S3WriterTest, MovesAgainAfterACrash) {
  const ObjectVersion object{.key = "k", .version = "v", .size = 7};
  const auto is_at_the_new_key = [this](const char* size) {
    transport_->then(answer(404, ""))
        .then(error_answer(404, "NoSuchKey"))
        .then(answer(200, "", {{"Content-Length", size}}));
  };
  is_at_the_new_key("7");
  EXPECT_TRUE(writer().move(object, "done/k").has_value());
  EXPECT_EQ(requests(), (Requests{"HEAD /b/k", "GET /b/k", "HEAD /b/done/k"}));
  is_at_the_new_key("8");
  EXPECT_EQ(writer().move(object, "done/k").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(writer().move(object, "k").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(requests().size(), 6u);
}

// An after-action is over when its object is gone: a proxy that says so is not to be believed.
TEST_F(S3WriterTest, OnlyTheServiceItselfSaysThatAnObjectIsGone) {
  const ObjectVersion object{.key = "k", .version = "v", .size = 7};
  for (const FakeTransport::Step& second :
       {answer(404, "404 page not found"), answer(404, ""), answer(200, "x"),
        error_answer(416, "InvalidRange"), error_answer(404, "NoSuchBucket")}) {
    transport_->otherwise([&](const HttpRequest& request, const BodySink& sink) {
      return request.method == "HEAD" ? answer(404, "")(request, sink) : second(request, sink);
    });
    for (const Result<void>& acted :
         {writer().remove(object), writer().move(object, "n"), writer().tag(object, "t", "1")}) {
      ASSERT_FALSE(acted.has_value());
      EXPECT_EQ(acted.error().code, ErrorCode::kUnavailable) << acted.error().to_string();
    }
  }
}

TEST_F(S3WriterTest, DeletesAVersionOnly) {
  const ObjectVersion object{.key = "k", .version = "\"v\"", .size = 1};
  transport_->then(answer(200, "")).then(answer(204, ""));
  EXPECT_TRUE(writer().remove(object).has_value());
  EXPECT_EQ(requests(), (Requests{"HEAD /b/k", "DELETE /b/k"}));
  for (const auto& seen : transport_->seen()) EXPECT_EQ(seen.header("If-Match"), "\"v\"");

  transport_->then(answer(412, ""));
  EXPECT_EQ(writer().remove(object).error().code, ErrorCode::kObjectChanged);
  transport_->then(answer(404, "")).then(error_answer(404, "NoSuchKey"));
  EXPECT_TRUE(writer().remove(object).has_value());
  EXPECT_EQ(requests().size(), 5u);
  // A service that does not know conditional deletion.
  transport_->then(answer(200, "")).then(error_answer(501, "NotImplemented")).then(answer(204, ""));
  EXPECT_TRUE(writer().remove(object).has_value());
  EXPECT_EQ(transport_->seen().back().header("If-Match"), "(none)");
}

TEST_F(S3WriterTest, DeletesManyAndNamesWhatStays) {
  transport_->then(answer(204, ""))
      .then(answer(200,
                   "<DeleteResult><Error><Key>a&amp;b</Key><Code>AccessDenied</Code>"
                   "<Message>no</Message></Error></DeleteResult>"));
  const std::vector<std::string> keys = {"a&b", "c\r", std::string("\x01", 1)};
  const auto failures = writer().remove_all(keys);
  ASSERT_TRUE(failures.has_value()) << failures.error().to_string();
  ASSERT_EQ(failures->size(), 1u);
  EXPECT_EQ(failures->front().key, "a&b");
  EXPECT_EQ(failures->front().code, "AccessDenied");
  const auto seen = transport_->seen();
  EXPECT_EQ(requests(), (Requests{"DELETE /b/%01", "POST /b?delete="}));
  EXPECT_NE(seen[1].body.find("<Object><Key>a&amp;b</Key></Object><Object><Key>c&#13;</Key>"),
            std::string::npos)
      << seen[1].body;
  EXPECT_NE(seen[1].header("Content-MD5"), "(none)");
}

TEST_F(S3WriterTest, KeepsOtherTags) {
  transport_->then(answer(200, ""))
      .then(answer(200,
                   "<Tagging><TagSet><Tag><Key>x</Key><Value>1&lt;</Value></Tag></TagSet>"
                   "</Tagging>"))
      .then(answer(200, ""));
  EXPECT_TRUE(writer().tag({.key = "k", .version = "v"}, "loaded", "yes").has_value());
  EXPECT_EQ(requests(), (Requests{"HEAD /b/k", "GET /b/k?tagging=", "PUT /b/k?tagging="}));
  const std::string body = transport_->seen()[2].body;
  EXPECT_NE(body.find("<Tag><Key>loaded</Key><Value>yes</Value></Tag>"), std::string::npos);
  EXPECT_NE(body.find("<Tag><Key>x</Key><Value>1&lt;</Value></Tag>"), std::string::npos);
}

class S3UploadTest : public S3WriterTest {
 protected:
  const std::string part_ = std::string(ObjectUpload::kPartBytes, 'x');
  const FakeTransport::Step part_taken_ = answer(200, "", {{"ETag", "\"p\""}});
};

TEST_F(S3UploadTest, SmallObjectsAreOneRequest) {
  transport_->then(answer(200, "", {{"ETag", "\"e\""}}));
  ObjectUpload upload(*requester_, "k");
  EXPECT_TRUE(upload.write("a").has_value());
  EXPECT_TRUE(upload.write("b").has_value());
  EXPECT_EQ(*upload.finish(), "\"e\"");
  EXPECT_EQ(requests(), Requests{"PUT /b/k"});
  EXPECT_EQ(transport_->seen()[0].body, "ab");
  EXPECT_FALSE(upload.write("c").has_value());
}

TEST_F(S3UploadTest, LargeOnesGoInParts) {
  transport_->then(answer(200, kBegun))
      .then(part_taken_)
      .then(part_taken_)
      .then(answer(200, kCompleted));
  ObjectUpload upload(*requester_, "k");
  EXPECT_TRUE(upload.write(part_).has_value());
  EXPECT_TRUE(requests().empty());  // A full part waits: it may be all.
  EXPECT_TRUE(upload.write("tail").has_value());
  EXPECT_EQ(*upload.finish(), "\"e-2\"");
  EXPECT_EQ(requests(),
            (Requests{"POST /b/k?uploads=", "PUT /b/k?partNumber=1&uploadId=up%2F1",
                      "PUT /b/k?partNumber=2&uploadId=up%2F1", "POST /b/k?uploadId=up%2F1"}));
  EXPECT_EQ(transport_->seen()[2].body, "tail");
  EXPECT_NE(
      transport_->seen()[3].body.find("<Part><PartNumber>2</PartNumber><ETag>\"p\"</ETag></Part>"),
      std::string::npos);
}

// Whatever fails, nothing stays behind: each step in turn.
TEST_F(S3UploadTest, AbortsOnEveryPathOfFailure) {
  const auto denied = error_answer(403, "AccessDenied");
  for (int step = 0; step < 3; ++step) {
    SCOPED_TRACE(step);
    const std::size_t before = requests().size();
    transport_->then(answer(200, kBegun));
    for (int i = 0; i < step; ++i) transport_->then(part_taken_);
    transport_->then(denied);
    if (step == 2) {  // Complete failed: is the object there?
      transport_->then(answer(404, "")).then(error_answer(404, "NoSuchKey"));
    }
    transport_->then(answer(204, ""));
    ObjectUpload upload(*requester_, "k");
    auto written = upload.write(part_ + "tail");
    if (written) written = upload.finish() ? Result<void>() : Error{.message = "failed"};
    EXPECT_FALSE(written.has_value());
    EXPECT_EQ(requests().back(), "DELETE /b/k?uploadId=up%2F1");
    EXPECT_EQ(requests().size() - before, static_cast<std::size_t>(step == 2 ? 7 : step + 3));
    EXPECT_FALSE(upload.finish().has_value());
  }
  // One that is given up.
  transport_->then(answer(200, kBegun)).then(part_taken_).then(answer(204, ""));
  { EXPECT_TRUE(ObjectUpload(*requester_, "k").write(part_ + "tail").has_value()); }
  EXPECT_EQ(requests().back(), "DELETE /b/k?uploadId=up%2F1");
  // One that is stopped in the middle.
  std::stop_source stop;
  transport_->then(answer(200, kBegun))
      .then([&](const HttpRequest&, const BodySink&) {
        stop.request_stop();
        return HttpExchange{.response = {},
                            .failure = TransportFailure{.kind = Kind::kStopped, .reason = {}}};
      })
      .then(answer(204, ""));
  ObjectUpload stopped(*requester_, "k", stop.get_token());
  EXPECT_EQ(stopped.write(part_ + "tail").error().code, ErrorCode::kCancelled);
  EXPECT_EQ(requests().back(), "DELETE /b/k?uploadId=up%2F1");
}

TEST_F(S3UploadTest, AnUploadWhoseBeginningWasLostIsAborted) {
  transport_->then(transport_failure(Kind::kBroken))
      .then(answer(200, kBegun))
      .then(answer(200,
                   "<ListMultipartUploadsResult><Upload><Key>k</Key><UploadId>lost</UploadId>"
                   "</Upload><Upload><Key>k</Key><UploadId>up/1</UploadId></Upload>"
                   "<Upload><Key>k2</Key><UploadId>of another</UploadId></Upload>"
                   "</ListMultipartUploadsResult>"))
      .then(answer(204, ""));
  auto upload = MultipartUpload::begin(*requester_, "k", {}, {});
  ASSERT_TRUE(upload.has_value()) << upload.error().to_string();
  EXPECT_EQ(requests(),
            (Requests{"POST /b/k?uploads=", "POST /b/k?uploads=",
                      "GET /b?uploads=&encoding-type=url&prefix=k", "DELETE /b/k?uploadId=lost"}));
  transport_->otherwise(answer(204, ""));
}

TEST_F(S3UploadTest, ACompletionWhoseAnswerWasLostIsOne) {
  transport_->then(answer(200, kBegun)).then(part_taken_).then(part_taken_);
  transport_->then(transport_failure(Kind::kBroken))
      .then(error_answer(404, "NoSuchUpload"))
      .then(head_of_our_write(std::to_string(part_.size() + 4)));
  ObjectUpload upload(*requester_, "k");
  EXPECT_TRUE(upload.write(part_ + "tail").has_value());
  const auto finished = upload.finish();
  ASSERT_TRUE(finished.has_value()) << finished.error().to_string();
  EXPECT_EQ(*finished, "\"ours\"");
  EXPECT_EQ(requests().back(), "HEAD /b/k");
}

TEST_F(S3UploadTest, ACompletionThatFailsUnderStatus200IsTriedAgain) {
  transport_->then(answer(200, kBegun)).then(part_taken_).then(part_taken_);
  transport_->then(error_answer(200, "InternalError")).then(answer(200, kCompleted));
  ObjectUpload upload(*requester_, "k");
  EXPECT_TRUE(upload.write(part_ + "tail").has_value());
  EXPECT_EQ(*upload.finish(), "\"e-2\"");
}

}  // namespace
}  // namespace leat::connector::s3
