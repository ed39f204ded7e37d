#include "executor/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

namespace leat::executor {
namespace {

namespace fs = std::filesystem;

/// Of "MICROSECONDS PERIOD"; nullopt: "max PERIOD", or there is no such file.
std::optional<std::uint32_t> cores_of_quota(const fs::path& file) {
  std::uint64_t quota = 0;
  std::uint64_t period = 0;
  if (!(std::ifstream(file) >> quota >> period) || period == 0) return std::nullopt;
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>((quota + period - 1) / period, 1, 1u << 16));
}

/// The path of the process's group in version 2; empty: it has none.
std::string control_group(const fs::path& root) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::/")) return line.substr(4);
  }
  return {};
}

std::uint32_t cores_of_affinity() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
    return static_cast<std::uint32_t>(CPU_COUNT(&allowed));
  }
  return std::thread::hardware_concurrency();
}

}  // namespace

std::uint32_t usable_cores(const fs::path& root) {
  std::uint32_t cores = std::max(1u, cores_of_affinity());
  // Each group above has its say as well. In a container, the topmost one is the container's.
  const fs::path top = root / "sys/fs/cgroup";
  fs::path group = (top / control_group(root)).lexically_normal();
  while (true) {
    if (const auto quota = cores_of_quota(group / "cpu.max")) cores = std::min(cores, *quota);
    if (group == top || !group.has_relative_path()) return cores;
    group = group.parent_path();
  }
}

}  // namespace leat::executor
