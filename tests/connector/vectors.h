// Where test vectors that others wrote are found.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/source_dir.h"

namespace leat::connector {

/// The folder `name` of the vectors; empty where it is absent.
inline std::filesystem::path vectors_folder(const std::string& name) {
  const char* given = std::getenv("LEAT_VECTORS_DIR");
  const std::filesystem::path root = given != nullptr
                                         ? std::filesystem::path(given)
                                         : test_source_dir() / ".." / "shared" / "vectors";
  return std::filesystem::is_directory(root / name) ? root / name : std::filesystem::path();
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

}  // namespace leat::connector
