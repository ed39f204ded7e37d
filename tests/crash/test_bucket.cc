#include "tests/crash/test_bucket.h"

#include <chrono>
#include <fstream>
#include <stdexcept>

namespace leat::crash {
namespace {

class FolderBucket final : public TestBucket {
 public:
  explicit FolderBucket(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void put(const std::string& key, std::string_view content) override {
    const std::filesystem::path path = folder_ / key;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file << content;
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path.string());
    // Long settled: a run need not wait for it.
    std::filesystem::last_write_time(
        path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  }

  std::vector<std::string> flags() const override {
    return {"--from=" + (folder_ / "in" / "**").string()};
  }

 private:
  const std::filesystem::path folder_;
};

}  // namespace

std::unique_ptr<TestBucket> make_folder_bucket(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "in");
  return std::make_unique<FolderBucket>(folder);
}

std::unique_ptr<TestBucket> make_s3_bucket(const std::string&) { return nullptr; }

}  // namespace leat::crash
