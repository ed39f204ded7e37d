// Row chunks through the Arrow C Data Interface: what any Arrow library imports without a copy.
#include <leat/row_chunk.h>
#include <leat/source.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: arrow_export FROM STATE_DIR\n", 2;
  leat::SourceOptions options;
  options.from = argv[1];
  options.state_dir = argv[2];
  options.once = true;
  auto source = leat::Source::open(options);
  if (!source) return std::cerr << source.error().to_string() << "\n", 1;
  bool schema_shown = false;
  while (true) {
    auto polled = (*source)->poll(std::chrono::seconds(1));
    if (!polled) return std::cerr << polled.error().to_string() << "\n", 1;
    if (polled->kind == leat::Polled::Kind::kEnd) break;
    if (polled->kind != leat::Polled::Kind::kRows) continue;
    if (!schema_shown) {
      ArrowSchema schema;
      leat::export_schema(*polled->rows.schema, &schema);
      for (std::int64_t i = 0; i < schema.n_children; ++i) {
        std::cout << schema.children[i]->name << ": " << schema.children[i]->format << "\n";
      }
      schema.release(&schema);
      schema_shown = true;
    }
    ArrowArray array;
    leat::export_chunk(std::move(polled->rows), &array);
    std::cout << "a batch of " << array.length << " rows\n";  // Hand `array` to the importer here.
    array.release(&array);
  }
  return (*source)->commit((*source)->checkpoint()) ? 0 : 1;
}
