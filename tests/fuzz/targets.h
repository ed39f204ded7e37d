// The fuzz targets: one function for each part that reads bytes from outside.
//
// Each takes any bytes, and aborts with a message where a promise is broken. libFuzzer drives them
// in the preset "fuzz"; everywhere else a test runs each over its corpus.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace leat::fuzz {

/// Aborts unless `holds`. `input`: what shows the fault.
void require(bool holds, std::string_view promise, std::string_view input = {});

struct Target {
  std::string_view name;  ///< Of its corpus, too.
  void (*run)(std::string_view input);
};

/// In the order of their names.
std::span<const Target> targets();

void column_kernels(std::string_view input);
void csv_parser(std::string_view input);
void csv_tokenizer(std::string_view input);
void dates(std::string_view input);
void decoders(std::string_view input);
void glob(std::string_view input);
void json_lines(std::string_view input);
void lines(std::string_view input);
void list_xml(std::string_view input);
void numbers(std::string_view input);
void postgres_formats(std::string_view input);
void progress(std::string_view input);
void schema(std::string_view input);
void sniffer(std::string_view input);
void texts(std::string_view input);

}  // namespace leat::fuzz
