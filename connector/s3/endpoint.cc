#include "connector/s3/endpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "connector/hidden_text.h"
#include "connector/s3/uri_encoding.h"

namespace leat::connector::s3 {

Result<Endpoint> parse_endpoint(std::string_view url) {
  const auto invalid = [&](std::string_view why) {
    // What stands before an '@' may be a password, whatever else is wrong.
    const bool has_user = url.find('@') != url.npos;
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = "the endpoint URL " +
                            (has_user ? std::string() : "'" + without_url_secrets(url) + "' ") +
                            std::string(why) + "; write http://host:9000 or https://host"};
  };
  Endpoint endpoint;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    endpoint.tls = false;
  } else {
    return invalid("does not begin with http:// or https://");
  }
  if (rest.find_first_of("?#") != rest.npos) return invalid("has a query or a fragment");
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.find('@') != authority.npos) return invalid("holds a user name");
  std::string_view host = authority;
  std::string_view port;
  const std::size_t colon = authority.rfind(':');
  if (colon != authority.npos && authority.find(']', colon) == authority.npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    unsigned number = 0;
    const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (failed != std::errc() || end != port.data() + port.size() || number == 0 ||
        number > 65'535) {
      return invalid("has a port that is no number from 1 to 65535");
    }
  }
  const bool is_ipv6 = host.starts_with('[') && host.ends_with(']') && host.size() > 4;
  const bool host_fits = !host.empty() && std::all_of(host.begin(), host.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || (is_ipv6 && (c == ':' || c == '[' || c == ']'));
  });
  if (!host_fits) return invalid("names no host");

  // The default port is left out, as HTTP clients do in the Host header, which is signed.
  endpoint.authority = host;
  if (!port.empty() && port != (endpoint.tls ? "443" : "80")) {
    endpoint.authority.append(":").append(port);
  }
  std::string_view path = rest.substr(authority.size());
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::optional<std::string> decoded = percent_decode(path);
  if (!decoded) return invalid("has a '%' without two hexadecimal digits");
  endpoint.path_prefix = *decoded;
  return endpoint;
}

namespace {

/// What the names of hosts end with in a part of AWS that shares nothing with the others.
struct Partition {
  std::string_view region_prefix;
  std::string_view domain;
  std::string_view dualstack_domain;  ///< Of services other than S3.
};
constexpr std::array kPartitions = {
    Partition{"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    Partition{"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    Partition{"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    Partition{"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    Partition{"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    Partition{"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    Partition{"", "amazonaws.com", "api.aws"},
};

const Partition& partition_of(std::string_view region) {
  return *std::find_if(kPartitions.begin(), kPartitions.end(), [&](const Partition& partition) {
    return region.starts_with(partition.region_prefix);
  });
}

}  // namespace

Endpoint aws_endpoint(std::string_view service, std::string_view region, AwsVariant variant) {
  const Partition& partition = partition_of(region);
  std::string host(service);
  if (variant.fips) host += "-fips";
  // S3 says it in the name; the others have a domain of their own for it.
  const bool of_s3 = service.starts_with("s3");
  if (variant.dualstack && of_s3) host += ".dualstack";
  host.append(".").append(region).append(".");
  host += variant.dualstack && !of_s3 ? partition.dualstack_domain : partition.domain;
  return {.tls = true, .authority = std::move(host), .path_prefix = {}};
}

bool is_aws_host(std::string_view authority) {
  const std::string_view host = authority.substr(0, authority.find(':'));
  return std::any_of(kPartitions.begin(), kPartitions.end(), [&](const Partition& partition) {
    return host.ends_with("." + std::string(partition.domain)) ||
           host.ends_with("." + std::string(partition.dualstack_domain));
  });
}

bool is_host_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-';
         });
}

ObjectAddress address_of(const Endpoint& endpoint, bool virtual_host, std::string_view bucket,
                         std::string_view key) {
  ObjectAddress address{.authority = endpoint.authority, .path = endpoint.path_prefix};
  if (virtual_host) {
    address.authority = std::string(bucket) + "." + endpoint.authority;
    address.path.append("/").append(key);
  } else {
    address.path.append("/").append(bucket);
    if (!key.empty()) address.path.append("/").append(key);
  }
  return address;
}

bool use_virtual_host(S3Options::Addressing addressing, bool custom_endpoint,
                      std::string_view bucket) {
  switch (addressing) {
    case S3Options::Addressing::kPath:
      return false;
    case S3Options::Addressing::kVirtualHost:
      return true;
    case S3Options::Addressing::kAuto:
      break;
  }
  return !custom_endpoint && is_virtual_hostable(bucket, /*dots_allowed=*/false);
}

bool is_virtual_hostable(std::string_view bucket, bool dots_allowed) {
  if (bucket.size() < 3 || bucket.size() > 63) return false;
  const bool plain = std::all_of(bucket.begin(), bucket.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           (c == '.' && dots_allowed);
  });
  bool only_numbers = true;
  for (std::string_view rest = bucket;;) {
    const std::string_view label = rest.substr(0, rest.find('.'));
    if (!plain || !is_host_label(label)) return false;
    only_numbers = only_numbers && label.find_first_not_of("0123456789") == label.npos;
    if (label.size() == rest.size()) break;
    rest.remove_prefix(label.size() + 1);
  }
  return !only_numbers || bucket.find('.') == bucket.npos;
}

}  // namespace leat::connector::s3
