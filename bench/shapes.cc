#include "bench/shapes.h"

#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "leat/schema.h"

namespace leat::bench {
namespace {

using Random = std::mt19937_64;

template <class... Values>
void append_printed(std::string& out, const char* format, Values... values) {
  char text[512];
  const int size = std::snprintf(text, sizeof text, format, values...);
  out.append(text, static_cast<std::size_t>(size));
}

unsigned below(Random& random, unsigned limit) { return static_cast<unsigned>(random() % limit); }

void append_ride(Random& random, std::string& out) {
  const unsigned day = 1 + below(random, 28);
  const unsigned hour = below(random, 23);
  append_printed(out, "%u,2026-11-%02u %02u:%02u:%02u,2026-11-%02u %02u:%02u:%02u,%u,%u.%02u,%u,",
                 1 + below(random, 2), day, hour, below(random, 60), below(random, 60), day,
                 hour + 1, below(random, 60), below(random, 60), 1 + below(random, 6),
                 below(random, 30), below(random, 100), 1 + below(random, 6));
  append_printed(out, "%c,%u,%u,%u,%u.%u,%u.5,0.5,%u.%02u,%u.%02u,0.3,%u.%02u,2.5,%s,%s\n",
                 below(random, 50) == 0 ? 'Y' : 'N', 1 + below(random, 265), 1 + below(random, 265),
                 1 + below(random, 4), below(random, 90), below(random, 10), below(random, 2),
                 below(random, 12), below(random, 100), below(random, 7), below(random, 100),
                 below(random, 120), below(random, 100),
                 below(random, 2) == 0 ? "Manhattan" : "Queens",
                 below(random, 3) == 0 ? "" : "JFK");
}

constexpr std::string_view kWords[] = {"the",    "book",  "is",    "about",   "a",  "river,",
                                       "which",  "turns", "mills", "until",   "it", "runs",
                                       "slowly", "into",  "wider", "valleys."};

void append_quoted(Random& random, std::string& out) {
  append_printed(out, "%u,\"", below(random, 1'000'000));
  for (unsigned words = 10 + below(random, 50); words != 0; --words) {
    const std::string_view word = kWords[below(random, std::size(kWords))];
    switch (below(random, 12)) {
      case 0:
        out.append("\"\"").append(word).append("\"\" ");
        break;
      case 1:
        out.append(word).append("\n");
        break;
      default:
        out.append(word).append(" ");
        break;
    }
  }
  append_printed(out, "\",\"title %u\"\n", below(random, 1000));
}

void append_integers(Random& random, std::string& out) {
  append_printed(out, "%u,%u,%d,%u\n", below(random, 1000), below(random, 1'000'000),
                 static_cast<int>(below(random, 200'000)) - 100'000, below(random, 2'000'000'000));
}

}  // namespace

std::string_view ShapeWriter::schema() const noexcept {
  switch (shape_) {
    case 'a':
      return "vendor int, pickup timestamp, dropoff timestamp, passengers int, "
             "distance double precision, rate int, stored text, pickup_zone int, dropoff_zone int, "
             "payment int, fare double precision, extra double precision, tax double precision, "
             "tip double precision, tolls double precision, surcharge double precision, "
             "total double precision, congestion double precision, borough text, airport text";
    case 'b':
      return "id int, body text, title text";
    default:
      return "a int, b int, c int, d bigint";
  }
}

std::string ShapeWriter::header() const {
  const Result<Schema> parsed = parse_schema(schema());
  if (!parsed) std::abort();
  std::string header;
  for (const Field& field : parsed->fields) header += (header.empty() ? "" : ",") + field.name;
  return header + "\n";
}

void ShapeWriter::append(std::size_t bytes, std::string& out) {
  while (out.size() < bytes) {
    switch (shape_) {
      case 'a':
        append_ride(random_, out);
        break;
      case 'b':
        append_quoted(random_, out);
        break;
      default:
        append_integers(random_, out);
        break;
    }
  }
}

}  // namespace leat::bench
