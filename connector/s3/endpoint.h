// Where the service is, and how a bucket is addressed there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

struct Endpoint {
  bool tls = true;
  std::string authority;    ///< "host" or "host:port": what the Host header says.
  std::string path_prefix;  ///< Not encoded; empty, or begins with '/' and does not end with one.

  std::string origin() const { return (tls ? "https://" : "http://") + authority; }
};

/// Reads "http(s)://host[:port][/path]".
///   kInvalidArgument  Anything else; the message holds an example.
Result<Endpoint> parse_endpoint(std::string_view url);

/// Which of the endpoints of AWS.
struct AwsVariant {
  bool fips = false;       ///< With cryptography that was validated by FIPS 140.
  bool dualstack = false;  ///< Over IPv6, too.
};

/// The public endpoint of a service of AWS ("s3", "sts", "portal.sso") in a region.
Endpoint aws_endpoint(std::string_view service, std::string_view region, AwsVariant variant = {});

/// Whether the host's name is one of AWS's own.
bool is_aws_host(std::string_view authority);

/// Whether it can stand between the dots of a host's name: letters, digits, '-'; 63 at most.
bool is_host_label(std::string_view text);

/// The path and the authority that address `key` in `bucket`; an empty key: the bucket itself.
struct ObjectAddress {
  std::string authority;
  std::string path;  ///< Not encoded; begins with '/'.
};
ObjectAddress address_of(const Endpoint& endpoint, bool virtual_host, std::string_view bucket,
                         std::string_view key);

/// Whether a bucket's name can be the front of a host's name: labels of lower-case letters, digits
/// and '-', 3 to 63 characters, no IP address. With dots only where TLS, whose certificates cover
/// one label, is not in the way.
bool is_virtual_hostable(std::string_view bucket, bool dots_allowed);

/// Whether the bucket's name becomes part of the host's name. kAuto: on AWS, for buckets that can
/// be part of a host name and that TLS certificates cover.
bool use_virtual_host(S3Options::Addressing addressing, bool custom_endpoint,
                      std::string_view bucket);

}  // namespace leat::connector::s3
