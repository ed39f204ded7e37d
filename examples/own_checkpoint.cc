// Exactly once without a database: the consumer keeps rows and checkpoint itself.
//
// Rows go to FILE; FILE.checkpoint holds the checkpoint and how long FILE was then, and is replaced
// by a rename. After a crash FILE is cut back to that length, and the source goes on from there.
#include <leat/source.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace fs = std::filesystem;

static void save(const fs::path& path, const leat::Checkpoint& checkpoint, std::uintmax_t length) {
  const fs::path next = path.string() + ".next";
  std::ofstream(next, std::ios::binary) << length << "\n" << checkpoint.encode();
  fs::rename(next, path);  // A power loss needs an fsync of file and folder too; a crash does not.
}

int main(int argc, char** argv) {
  if (argc != 4) return std::cerr << "usage: own_checkpoint FROM STATE_DIR FILE\n", 2;
  const fs::path rows_path = argv[3], checkpoint_path = rows_path.string() + ".checkpoint";
  leat::SourceOptions options;
  options.from = argv[1];
  options.state_dir = argv[2];
  options.once = true;

  std::optional<leat::Checkpoint> recovered;
  std::uintmax_t length = 0;
  if (std::ifstream in(checkpoint_path, std::ios::binary); in >> length && in.ignore()) {
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    auto checkpoint = leat::Checkpoint::decode(bytes);
    if (!checkpoint) return std::cerr << checkpoint.error().to_string() << "\n", 1;
    recovered = *checkpoint;
  }
  if (fs::exists(rows_path)) fs::resize_file(rows_path, length);
  std::ofstream out(rows_path, std::ios::binary | std::ios::app);

  auto source = leat::Source::open(options, recovered);
  if (!source) return std::cerr << source.error().to_string() << "\n", 1;
  for (bool end = false; !end;) {
    auto polled = (*source)->poll(std::chrono::milliseconds(50));
    if (!polled) return std::cerr << polled.error().to_string() << "\n", 1;
    end = polled->kind == leat::Polled::Kind::kEnd;
    for (std::int64_t row = 0; row < polled->rows.rows; ++row) {
      out << polled->rows.columns.front().text_at(row) << "\n";
    }
    const leat::Checkpoint checkpoint = (*source)->checkpoint();
    if (checkpoint.splits.empty()) continue;
    out.flush();
    save(checkpoint_path, checkpoint, fs::file_size(rows_path));
    if (auto done = (*source)->commit(checkpoint); !done) return 1;
  }
  return 0;
}
