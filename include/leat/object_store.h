// Where the bytes come from: a store of immutable object versions.
//
// Two stores are built in, a local folder and anything that speaks S3. Others can be handed to
// Source by implementing these three interfaces. Theirs are called from threads of the source, and
// ought not to throw: an exception, or a null where none is allowed, becomes an Error of kInternal
// that names the call. (Out of uri_of() and reuse() it only costs the name, or the memory.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "leat/clock.h"
#include "leat/result.h"
#include "leat/split.h"

namespace leat {

/// A page of a listing, in the store's order.
struct ListPage {
  /// Folders below the listed one that may not be entered: what is in them is not listed.
  std::vector<std::string> unreadable = {};
  std::vector<ObjectVersion> objects = {};
  /// Of list_level: the keys' begins up to and with the first '/' behind the prefix ("in/day1/" of
  /// prefix "in/"), each once, in the store's order.
  std::vector<std::string> folders = {};
  bool last = false;            ///< No page follows: the listing was complete.
  std::uint64_t unsettled = 0;  ///< Files left out because they may still be written to.
  /// Their keys, from stores that have such files: they are there, though not to be read yet.
  std::vector<std::string> unsettled_keys = {};
};

/// One listing under way. Used by one thread at a time.
class ObjectLister {
 public:
  virtual ~ObjectLister() = default;
  /// The next page. An empty page is not the end: `last` is.
  ///   kNotFound          No such bucket or folder.
  ///   kPermissionDenied  Listing is not allowed; the message names the permission.
  ///   kUnavailable, kThrottled, kTimeout  After the retries were spent. Retryable.
  ///   kCorrupt           A reply that is no listing, or one that would never end. Of a caller's
  ///                      own store leat says so itself: a key that is not behind `start_after`,
  ///                      the same page twice in a row, or 10,000 empty ones.
  virtual Result<ListPage> next_page() = 0;
  /// Takes objects of an earlier page that nobody needs any more: a lister may write the next page
  /// into their memory.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): those who override it move it.
  virtual void reuse(std::vector<ObjectVersion> /*objects*/) {}
};

/// Reads one version of one object from front to back. Used by one thread at a time, but for
/// read_at().
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  /// Reads the next bytes into the front of `out`. out.size() > 0; borrowed for the call only.
  ///
  /// @return  Bytes written, all from the version that was opened; 0 at the end of the object,
  ///          which is where its listed size says.
  ///   kNotFound       The object is no longer there.
  ///   kObjectChanged  The object is now another version. Not retryable: list again first.
  ///   kPermissionDenied, kIo
  ///   kUnavailable, kThrottled, kTimeout  After the retries were spent. Retryable: open again at
  ///                   the offset reached.
  virtual Result<std::size_t> read(std::span<std::byte> out) = 0;

  /// Whether read_at() works, and costs no more than read() does.
  virtual bool reads_anywhere() const noexcept { return false; }
  /// As read(), but from byte `offset` (<= the object's size) on, by any number of threads at a
  /// time; read() goes on where it was.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const;
};

/// Counters of a store since it was opened.
struct StoreStats {
  std::uint64_t list_requests = 0;
  std::uint64_t get_requests = 0;
  std::uint64_t retries = 0;
  std::uint64_t bytes_read = 0;
};

/// A store of objects. Thread-safe; listers and readers must not outlive it.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Identity of the store for state folders and messages: "s3://bucket", "file://".
  virtual std::string uri() const = 0;
  /// `key` as a user would write it: "s3://bucket/key", "/folder/file".
  virtual std::string uri_of(std::string_view key) const = 0;

  /// Starts a listing of all keys with this prefix, strictly after `start_after` when non-empty.
  /// Objects that cannot be data (folders, "directory" markers ending in '/') may be included:
  /// the enumerator filters.
  virtual std::unique_ptr<ObjectLister> list(std::string_view prefix,
                                             std::string_view start_after = {}) const = 0;

  /// Whether list() costs the pages behind `start_after` and no more, whatever key that is. Then
  /// what is left of a long listing may be cut in two at any key.
  virtual bool lists_from_any_key() const noexcept { return false; }

  /// Starts a listing of what lies between `prefix` and the next '/': the objects with this prefix
  /// and no '/' behind it, and instead of those below that, their folders. It is asked for where it
  /// saves a listing of all that is in them.
  /// @return  nullptr: this store cannot; then all is listed.
  virtual std::unique_ptr<ObjectLister> list_level(std::string_view prefix) const;

  /// Opens `object` for reading from byte `offset` (<= object.size) of the stored bytes.
  /// May defer all I/O, and so all errors, to the first read().
  virtual Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion& object,
                                                     std::uint64_t offset) const = 0;

  // What may become of an object once it is loaded. All three act on this version only, as exactly
  // as the store can tell, and succeed when repeated after a crash cut them short. Errors:
  //   kObjectChanged  The object is another version now: it was left alone.
  //   kNotFound       move, tag: it is gone, and was not moved there.
  //   kUnsupported    This store cannot; the message says what to do instead.
  //   kPermissionDenied, kInvalidArgument (new_key), kIo, kDiskFull
  //   kUnavailable, kThrottled, kTimeout  After the retries were spent. Retryable.

  /// Removes the object. One that is gone is removed already.
  virtual Result<void> remove(const ObjectVersion& object);
  /// Gives the object the key `new_key`; what stood there is replaced.
  virtual Result<void> move(const ObjectVersion& object, std::string_view new_key);
  /// Sets one tag of the object; its others stay.
  virtual Result<void> tag(const ObjectVersion& object, std::string_view name,
                           std::string_view value);

  virtual StoreStats stats() const noexcept = 0;
};

/// A secret text: never printed, and overwritten when it goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  Secret(Secret&&) = default;
  Secret& operator=(Secret&&) = default;
  ~Secret();

  bool empty() const noexcept { return text_.empty(); }
  /// The text itself: for signing and for request bodies, never for messages.
  const std::string& reveal() const noexcept { return text_; }

 private:
  std::string text_;
};

/// AWS credentials given by the caller.
struct S3Credentials {
  std::string access_key_id = {};
  Secret secret_access_key = {};
  Secret session_token = {};  ///< Empty for long-lived keys.
};

/// A role to assume.
struct S3Role {
  std::string arn = {};           ///< "arn:aws:iam::123456789012:role/name".
  std::string session_name = {};  ///< What its session is called in logs; empty: "leat".
  std::string external_id = {};   ///< Where the role's trust policy asks for one.
  std::uint32_t duration_s = 0;   ///< 0: as long as the service gives unless told, an hour.
};

/// How to reach an S3 service. What is left empty is taken from where every AWS tool takes it:
/// AWS_* environment variables, then ~/.aws/config and ~/.aws/credentials, then the services that
/// hand out credentials to containers and instances.
struct S3Options {
  enum class Addressing { kAuto, kPath, kVirtualHost };

  std::string endpoint_url = {};  ///< "http(s)://host[:port]"; empty: AWS, by region.
  std::string region = {};        ///< Empty: environment, profile, then "us-east-1".
  std::string profile = {};       ///< Empty: AWS_PROFILE, then "default".
  std::optional<S3Credentials> credentials = {};
  /// Assumed with the credentials that are found otherwise. Not together with `credentials`.
  std::optional<S3Role> role = {};
  /// Where roles are assumed. Empty: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, profile; then AWS, or
  /// the S3 service itself where that is not AWS's.
  std::string sts_endpoint_url = {};
  bool no_sign_request = false;  ///< Anonymous requests, for public buckets.
  /// kAuto: path style for custom endpoints and for buckets with dots, else virtual host style.
  Addressing addressing = Addressing::kAuto;
  std::string ca_bundle =
      {};  ///< PEM file of trusted CAs; empty: AWS_CA_BUNDLE, then the system's.
  std::uint32_t attempts_max = 10;  ///< Per request, the first included. 1: no retries.
  std::uint32_t operation_timeout_ms = 180'000;  ///< Per request, all its attempts together.
  /// Asks a second time for a range whose first byte takes longer than 99 of 100 did: shorter
  /// waits for a few more requests. Off unless told: it costs up to 5 % more of them.
  bool hedge_reads = false;
  /// How long an answer may fail to come, or bring less than 1 KiB/s, before its request is tried
  /// again. What a request allows by itself is not exceeded: 30 s for the first byte, then 10 s.
  std::uint32_t stall_timeout_ms = 30'000;
};

/// How to read a local folder.
struct LocalOptions {
  /// A file is listed once its modification time is this far in the past: half-written files
  /// wait. 2 s unless told: longer than any write that is flushed in one go takes.
  std::uint32_t settle_ms = 2'000;
};

struct StoreOptions {
  S3Options s3 = {};
  LocalOptions local = {};
  /// What all open readers together may hold for reading ahead; each has at least 64 KiB. Local
  /// files need none. 64 MiB unless told: two ranges of 32 MiB of one object on a fast service, or
  /// four of 8 MiB of two on slow ones.
  std::uint64_t read_memory_bytes_max = 64ull << 20;
  const Clock* clock = nullptr;  ///< nullptr: system_clock(). Must outlive the store.
  /// Ends waits for a remote store, its retries included, with kCancelled.
  std::stop_token stop = {};
};

/// A source URI, taken apart: "s3://bucket/in/**/*.csv", "file:///data/*.csv", "data/*.csv".
struct SourceUri {
  enum class Scheme { kLocal, kS3 };
  Scheme scheme = Scheme::kLocal;
  std::string bucket = {};  ///< kS3 only.
  std::string pattern =
      {};  ///< Key glob. Local: an absolute path, lexically normalised, links kept.
};

///   kInvalidArgument  Not a URI or path that leat reads; the message holds an example.
Result<SourceUri> parse_source_uri(std::string_view uri);

/// Opens the store of a URI. Reads configuration and credentials; sends nothing.
///   kInvalidArgument, kNotFound (profile), kPermissionDenied (no credentials found), kIo
Result<std::unique_ptr<ObjectStore>> open_store(const SourceUri& uri, const StoreOptions& options);

}  // namespace leat
