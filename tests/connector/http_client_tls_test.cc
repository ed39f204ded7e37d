// HTTPS: whom the client trusts.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "connector/s3/http_client.h"
#include "connector/s3/s3_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

namespace leat::connector::s3 {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using TlsContext = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using TlsSession = std::unique_ptr<SSL, Freed<SSL_free>>;

/// A self-signed certificate for `name`, good for `seconds` from now on.
Certificate certify(EVP_PKEY* key, const std::string& name, long seconds) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  const std::string names = "DNS:" + name;
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate.get(), key, EVP_sha256());
  return certificate;
}

/// Answers each connection's first request with "secret" over TLS, and closes.
class TlsServer {
 public:
  enum class Handshake {
    kWhole,
    kClosed,  ///< As soon as the client has said something.
    kReset,
    kCutInside,  ///< After ten bytes of the server's first word.
    kPlain,      ///< The server speaks HTTP.
  };
  explicit TlsServer(const std::string& name, Handshake handshake = Handshake::kWhole,
                     long certificate_seconds = 3'600)
      : handshake_(handshake), key_(EVP_EC_gen("P-256")) {
    certificate_ = certify(key_.get(), name, certificate_seconds);
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::string url() const { return "https://localhost:" + std::to_string(port_) + "/"; }
  int connections() const { return connections_; }

  void write_certificate(const std::string& path) const {
    std::FILE* file = std::fopen(path.c_str(), "we");
    ASSERT_NE(file, nullptr);
    PEM_write_X509(file, certificate_.get());
    std::fclose(file);
  }

 private:
  void serve() {
    while (true) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      ++connections_;
      if (handshake_ != Handshake::kWhole) {
        break_off(socket);
        ::close(socket);
        continue;
      }
      const TlsSession session(SSL_new(context_.get()));
      SSL_set_fd(session.get(), socket);
      if (SSL_accept(session.get()) == 1) {
        char request[4096];
        if (SSL_read(session.get(), request, sizeof(request)) > 0) {
          const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
          SSL_write(session.get(), answer.data(), static_cast<int>(answer.size()));
          SSL_shutdown(session.get());
        }
      }
      ::close(socket);
    }
  }

  void break_off(int socket) const {
    char word[4096];
    if (::recv(socket, word, sizeof(word), 0) <= 0) return;
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    if (handshake_ == Handshake::kReset) {
      ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    const std::string_view answer =
        handshake_ == Handshake::kPlain ? "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
        : handshake_ == Handshake::kCutInside
            ? std::string_view("\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03", 10)
            : std::string_view();
    static_cast<void>(::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL));
  }

  const Handshake handshake_;
  std::atomic<int> connections_ = 0;
  Key key_;
  Certificate certificate_;
  TlsContext context_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

std::string get(HttpClientOptions options, const std::string& url, HttpExchange& exchange) {
  HttpClient client(std::move(options));
  HttpRequest request;
  request.method = "GET";
  request.url = url;
  std::string body;
  exchange = client.send(request, [&](const HttpResponse&, std::span<const std::byte> bytes) {
    body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  });
  return body;
}

class HttpClientTls : public ::testing::Test {
 protected:
  void SetUp() override {
    // The server's thread writes to connections that the client has closed for lack of trust.
    std::signal(SIGPIPE, SIG_IGN);
  }
  void TearDown() override { std::signal(SIGPIPE, SIG_DFL); }

  testing::TemporaryFolder folder_;
  HttpExchange exchange_;
};

TEST_F(HttpClientTls, TrustsTheGivenAuthority) {
  const TlsServer server("localhost");
  const std::string bundle = (folder_.path() / "ca.pem").native();
  server.write_certificate(bundle);
  EXPECT_EQ(get({.ca_bundle = bundle}, server.url(), exchange_), "secret");
  EXPECT_FALSE(exchange_.failure.has_value()) << exchange_.failure->reason;
}

TEST_F(HttpClientTls, TrustsNobodyElse) {
  const TlsServer server("localhost");
  EXPECT_EQ(get({}, server.url(), exchange_), "");
  ASSERT_TRUE(exchange_.failure.has_value());
  EXPECT_EQ(exchange_.failure->kind, TransportFailure::Kind::kTrust) << exchange_.failure->reason;
}

TEST_F(HttpClientTls, LooksAtTheNameOfTheHost) {
  const TlsServer server("elsewhere.example");
  const std::string bundle = (folder_.path() / "ca.pem").native();
  server.write_certificate(bundle);
  EXPECT_EQ(get({.ca_bundle = bundle}, server.url(), exchange_), "");
  ASSERT_TRUE(exchange_.failure.has_value());
  EXPECT_EQ(exchange_.failure->kind, TransportFailure::Kind::kTrust) << exchange_.failure->reason;
}

TEST_F(HttpClientTls, TrustsNoCertificateThatHasExpired) {
  const TlsServer server("localhost", TlsServer::Handshake::kWhole, -60);
  const std::string bundle = (folder_.path() / "ca.pem").native();
  server.write_certificate(bundle);
  EXPECT_EQ(get({.ca_bundle = bundle}, server.url(), exchange_), "");
  ASSERT_TRUE(exchange_.failure.has_value());
  EXPECT_EQ(exchange_.failure->kind, TransportFailure::Kind::kTrust) << exchange_.failure->reason;
}

/// The S3 client over TLS: how often it tries, and what it says.
class S3ClientTls : public HttpClientTls {
 protected:
  Error list(const std::string& url) {
    StoreOptions options;
    options.clock = &clock_;
    options.s3.endpoint_url = url;
    options.s3.region = "us-east-1";
    options.s3.no_sign_request = true;
    options.s3.attempts_max = 3;
    auto client = make_s3_client("bucket", options);
    EXPECT_TRUE(client.has_value());
    const auto page = (*client)->list_page("", "", "");
    EXPECT_FALSE(page.has_value());
    return page ? Error{} : page.error();
  }

  testing::ManualClock clock_;
};

TEST_F(S3ClientTls, ACertificateThatIsNotTrustedIsReportedAtOnce) {
  for (const auto& [name, seconds] : {std::pair{"localhost", 3'600L}, std::pair{"localhost", -60L},
                                      std::pair{"elsewhere.example", 3'600L}}) {
    const TlsServer server(name, TlsServer::Handshake::kWhole, seconds);
    const Error error = list(server.url());
    EXPECT_FALSE(error.retryable);
    EXPECT_NE(error.message.find("AWS_CA_BUNDLE"), std::string::npos) << error.message;
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST_F(S3ClientTls, AHandshakeThatIsCutIsTriedAgain) {
  using Handshake = TlsServer::Handshake;
  for (const Handshake handshake :
       {Handshake::kClosed, Handshake::kReset, Handshake::kCutInside, Handshake::kPlain}) {
    const TlsServer server("localhost", handshake);
    const Error error = list(server.url());
    EXPECT_EQ(error.code, ErrorCode::kUnavailable) << error.to_string();
    EXPECT_TRUE(error.retryable);
    EXPECT_NE(error.message.find("gave up after 3 attempts"), std::string::npos) << error.message;
    EXPECT_EQ(server.connections(), 3);
  }
}

TEST_F(S3ClientTls, ANameThatIsNotKnownIsTriedAgain) {
  const Error error = list("http://leat-no-such-host.invalid:9000");
  EXPECT_EQ(error.code, ErrorCode::kUnavailable) << error.to_string();
  EXPECT_TRUE(error.retryable);
  EXPECT_NE(error.message.find("cannot reach leat-no-such-host.invalid:9000"), std::string::npos)
      << error.message;
  EXPECT_NE(error.message.find("gave up after 3 attempts"), std::string::npos) << error.message;
}

TEST_F(HttpClientTls, SaysThatTheBundleIsMissing) {
  const TlsServer server("localhost");
  get({.ca_bundle = (folder_.path() / "absent.pem").native()}, server.url(), exchange_);
  ASSERT_TRUE(exchange_.failure.has_value());
  EXPECT_EQ(exchange_.failure->kind, TransportFailure::Kind::kTrust) << exchange_.failure->reason;
}

}  // namespace
}  // namespace leat::connector::s3
