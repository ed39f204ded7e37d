// Rows of files that land, on standard output: the smallest consumer.
#include <leat/source.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: print_rows FROM STATE_DIR\n", 2;
  leat::SourceOptions options;
  options.from = argv[1];
  options.state_dir = argv[2];
  options.once = true;
  auto source = leat::Source::open(options);
  while (source) {
    auto polled = (*source)->poll(std::chrono::seconds(1));
    if (!polled) return std::cerr << polled.error().to_string() << "\n", 1;
    if (polled->kind == leat::Polled::Kind::kEnd) break;
    for (std::int64_t row = 0; row < polled->rows.rows; ++row) {
      std::cout << polled->rows.columns.front().text_at(row) << "\n";
    }
  }
  if (!source) return std::cerr << source.error().to_string() << "\n", 1;
  auto committed = (*source)->commit((*source)->checkpoint());
  return committed ? 0 : 1;
}
