// What the crash tests load, and how they are told to be long.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace leat::crash {

inline std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

/// Files with distinct ids, and with everything that makes a record boundary hard to find.
class FileMaker {
 public:
  explicit FileMaker(std::uint64_t seed) : random_(seed) {}

  std::string next_file() {
    static const std::vector<std::string> names{"plain",          "",
                                                "\"\"",           "\"with, comma\"",
                                                "\"two\nlines\"", "\"a \"\"quoted\"\" word\"",
                                                "\"\r\n\"",       "5\" pipe",
                                                "ünïcode"};
    std::string text = "id,name,amount\r\n";
    const std::uint64_t shape = random_() % 8;
    const std::uint64_t rows = shape == 0 ? 0 : shape == 1 ? 20'000 : random_() % 2'000;
    for (std::uint64_t row = 0; row < rows; ++row) {
      text += std::to_string(next_id_++) + "," + names[random_() % names.size()] + "," +
              std::to_string(random_() % 100'000) + "." + std::to_string(random_() % 10);
      if (row + 1 < rows || random_() % 2 == 0) text += random_() % 4 == 0 ? "\r\n" : "\n";
    }
    return text;
  }

  std::uint64_t ids() const { return next_id_; }

 private:
  std::mt19937_64 random_;
  std::uint64_t next_id_ = 0;
};

}  // namespace leat::crash
