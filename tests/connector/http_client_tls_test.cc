// HTTPS: whom the client trusts.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "connector/s3/http_client.h"
#include "tests/connector/temporary_folder.h"

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

/// A self-signed certificate for `name`, good for an hour.
Certificate certify(EVP_PKEY* key, const std::string& name) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
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
  explicit TlsServer(const std::string& name) : key_(EVP_EC_gen("P-256")) {
    certificate_ = certify(key_.get(), name);
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

  TemporaryFolder folder_;
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

TEST_F(HttpClientTls, SaysThatTheBundleIsMissing) {
  const TlsServer server("localhost");
  get({.ca_bundle = (folder_.path() / "absent.pem").native()}, server.url(), exchange_);
  ASSERT_TRUE(exchange_.failure.has_value());
  EXPECT_EQ(exchange_.failure->kind, TransportFailure::Kind::kTrust) << exchange_.failure->reason;
}

}  // namespace
}  // namespace leat::connector::s3
