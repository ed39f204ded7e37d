// How many cores the process may use.
#pragma once

#include <cstdint>
#include <filesystem>

namespace leat::executor {

/// Those that the calling thread's affinity allows, and no more than the control groups' quotas
/// (version 2, rounded up) let it use at a time. At least 1.
///
/// @param root  Where /proc and /sys are.
std::uint32_t usable_cores(const std::filesystem::path& root = "/");

}  // namespace leat::executor
