// Reads the CSV files of one folder and prints how many rows they hold.
// Usage: consumer FOLDER STATE_FOLDER
#include <leat/source.h>
#include <leat/version.h>

#include <chrono>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: consumer FOLDER STATE_FOLDER\n";
    return 2;
  }
  leat::SourceOptions options;
  options.from = std::string(argv[1]) + "/*.csv";
  options.state_dir = argv[2];
  options.once = true;
  options.store.local.settle_ms = 0;
  auto source = leat::Source::open(options);
  if (!source) {
    std::cerr << source.error().to_string() << '\n';
    return 1;
  }
  std::int64_t rows = 0;
  for (;;) {
    auto polled = (*source)->poll(std::chrono::seconds(10));
    if (!polled) {
      std::cerr << polled.error().to_string() << '\n';
      return 1;
    }
    if (polled->kind == leat::Polled::Kind::kEnd) break;
    rows += polled->rows.rows;
  }
  auto closed = (*source)->close();
  if (!closed) {
    std::cerr << closed.error().to_string() << '\n';
    return 1;
  }
  std::cout << "leat " << leat::version() << ": " << rows << " rows\n";
}
