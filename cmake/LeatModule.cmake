# The standard library's headers that many files include.
set(LEAT_STANDARD_HEADERS
  <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <cstdint> <deque> <filesystem>
  <fstream> <functional> <map> <memory> <mutex> <optional> <random> <span> <sstream> <stop_token>
  <string> <string_view> <thread> <unordered_map> <unordered_set> <utility> <variant> <vector>)

# leat_precompile_headers(TARGET OWNER HEADER…)
#
# With LEAT_PRECOMPILE_HEADERS: TARGET uses what is compiled once for OWNER, of which the HEADERs are.
function(leat_precompile_headers target owner)
  if(NOT LEAT_PRECOMPILE_HEADERS)
    return()
  endif()
  if(target STREQUAL owner)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
endfunction()

# leat_module(NAME SOURCES… [PUBLIC lib…] [PRIVATE lib…])
#
# One static library for each folder of the architecture. Its own headers are included by their path
# from the project's root ("connector/s3/client.h"); only include/leat is public.
function(leat_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;PUBLIC;PRIVATE")
  add_library(leat_${name} STATIC ${arg_SOURCES})
  add_library(leat::${name} ALIAS leat_${name})
  set_target_properties(leat_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_compile_features(leat_${name} PUBLIC cxx_std_20)
  target_include_directories(leat_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR})
  leat_precompile_headers(leat_${name} leat_core ${LEAT_STANDARD_HEADERS})
  target_link_libraries(leat_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()
