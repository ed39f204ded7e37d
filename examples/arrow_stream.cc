// A whole source as an Arrow stream, exactly once: what any Arrow library imports and reads.
#include <leat/arrow_stream.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: arrow_stream FROM STATE_DIR\n", 2;
  leat::SourceOptions options;
  options.from = argv[1];
  options.state_dir = argv[2];
  options.once = true;
  auto source = leat::Source::open(options);
  if (!source) return std::cerr << source.error().to_string() << "\n", 1;
  ArrowArrayStream stream;
  leat::export_stream(**source, &stream);  // Hand `stream` to the importer here; this is its work.
  int failed = 0;
  for (bool end = false; !end && failed == 0;) {
    ArrowArray batch;
    failed = stream.get_next(&stream, &batch);
    if (failed != 0) {
      std::cerr << stream.get_last_error(&stream) << "\n";
      break;
    }
    end = batch.release == nullptr;
    if (!end) {
      std::cout << "a batch of " << batch.length << " rows\n";
      batch.release(&batch);
    }
    // The rows are kept: so is where they end. Batches may also be committed many at once.
    if (auto done = (*source)->commit((*source)->checkpoint()); !done) failed = 1;
  }
  stream.release(&stream);
  return failed == 0 ? 0 : 1;
}
