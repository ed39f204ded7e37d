#include "executor/audit.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "connector/glob.h"
#include "connector/split_enumerator.h"
#include "executor/object_filter.h"
#include "executor/pipeline_binding.h"
#include "leat/object_store.h"
#include "leat/sink.h"
#include "state/ledger_reader.h"

namespace leat::executor {
namespace {

/// One of the sequences, with its next object at hand.
template <class T>
class Ahead {
 public:
  using Next = std::function<Result<std::optional<T>>()>;

  explicit Ahead(Next next) : next_(std::move(next)) {}

  const std::optional<T>& front() const { return front_; }
  Result<void> advance() {
    Result<std::optional<T>> next = next_();
    if (!next) return std::move(next).error();
    front_ = std::move(*next);
    return {};
  }
  /// The front's value when it is of this key; moves on.
  Result<std::optional<T>> take(const std::string& key, const std::string& (*key_of)(const T&)) {
    if (!front_ || key_of(*front_) != key) return std::optional<T>();
    std::optional<T> taken = std::move(front_);
    if (Result<void> advanced = advance(); !advanced) return std::move(advanced).error();
    return taken;
  }

 private:
  Next next_;
  std::optional<T> front_;
};

const std::string& key_of(const ObjectVersion& object) { return object.key; }
const std::string& key_of(const state::LedgerRecord& record) { return record.key; }
const std::string& key_of(const SplitProgress& progress) { return progress.object.key; }
const std::string& key_of(const ObjectRows& rows) { return rows.key; }

/// The listing, object by object.
class Listing {
 public:
  Listing(connector::SplitEnumerator enumerator, ObjectFilter filter)
      : enumerator_(std::move(enumerator)), filter_(std::move(filter)) {
    enumerator_.begin_sweep();
  }

  Result<std::optional<ObjectVersion>> next() {
    while (used_ == page_.size()) {
      if (last_) return std::optional<ObjectVersion>();
      Result<connector::EnumeratedPage> page = enumerator_.next_page();
      if (!page) return std::move(page).error();
      if (!page->sorted) {
        return Error{ErrorCode::kUnsupported,
                     "this store does not list its keys in order, so that a listing cannot be held "
                     "against the ledger in one pass"};
      }
      page_ = std::move(page->objects);
      std::erase_if(page_, [this](const ObjectVersion& object) { return !filter_.takes(object); });
      used_ = 0;
      last_ = page->last;
    }
    return std::optional<ObjectVersion>(std::move(page_[used_++]));
  }

 private:
  connector::SplitEnumerator enumerator_;
  ObjectFilter filter_;
  std::vector<ObjectVersion> page_;
  std::size_t used_ = 0;
  bool last_ = false;
};

std::string version_text(const ObjectVersion& object) {
  return "version " + object.version + " of " + std::to_string(object.size) + " bytes";
}

std::string counts_text(const SplitProgress& split) {
  return std::string(split_state_name(split.state)) + ", " + std::to_string(split.rows) +
         " rows, " + std::to_string(split.rejected) + " rejects, " + version_text(split.object);
}

/// Everything about one object.
struct Subject {
  std::string key;
  std::optional<ObjectVersion> listed;
  std::optional<state::LedgerRecord> known;
  std::optional<SplitProgress> recorded;  ///< By the sink.
  std::vector<ObjectRows> rows;
};

/// Listing, ledger and sink as one sequence, object by object.
class Subjects {
 public:
  /// Borrows ledger and reader; null: the sink keeps no record.
  Subjects(Listing listing, state::LedgerReader& ledger, SinkReader* reader)
      : listing_(std::move(listing)), ledger_(ledger), reader_(reader) {}
  Subjects(const Subjects&) = delete;
  Subjects& operator=(const Subjects&) = delete;

  Result<void> begin() {
    for (Result<void> first : {listed_.advance(), known_.advance(), recorded_.advance()}) {
      if (!first) return first;
    }
    Result<void> first = counted_.advance();
    rows_are_counted_ = first && reader_ != nullptr;
    return first || first.error().code == ErrorCode::kUnsupported ? Result<void>() : first;
  }
  bool rows_are_counted() const noexcept { return rows_are_counted_; }

  Result<std::optional<Subject>> next() {
    std::optional<std::string> key;
    const auto offer = [&key](const auto& front) {
      if (front && (!key || key_of(*front) < *key)) key = key_of(*front);
    };
    offer(listed_.front());
    offer(known_.front());
    offer(recorded_.front());
    offer(counted_.front());
    if (!key) return std::optional<Subject>();
    Subject subject;
    subject.key = *std::move(key);
    for (Result<void> taken :
         {take(listed_, subject.key, subject.listed), take(known_, subject.key, subject.known),
          take(recorded_, subject.key, subject.recorded)}) {
      if (!taken) return std::move(taken).error();
    }
    while (true) {
      std::optional<ObjectRows> rows;
      if (Result<void> taken = take(counted_, subject.key, rows); !taken) {
        return std::move(taken).error();
      }
      if (!rows) return std::optional<Subject>(std::move(subject));
      subject.rows.push_back(*std::move(rows));
    }
  }

 private:
  template <class T>
  static Result<void> take(Ahead<T>& sequence, const std::string& key, std::optional<T>& to) {
    Result<std::optional<T>> taken = sequence.take(key, &key_of);
    if (!taken) return std::move(taken).error();
    to = std::move(*taken);
    return {};
  }

  Listing listing_;
  state::LedgerReader& ledger_;
  SinkReader* const reader_;
  bool rows_are_counted_ = false;
  Ahead<ObjectVersion> listed_{[this] { return listing_.next(); }};
  Ahead<state::LedgerRecord> known_{[this] { return ledger_.next(); }};
  Ahead<SplitProgress> recorded_{[this]() -> Result<std::optional<SplitProgress>> {
    if (reader_ == nullptr) return std::optional<SplitProgress>();
    return reader_->next_progress();
  }};
  Ahead<ObjectRows> counted_{[this]() -> Result<std::optional<ObjectRows>> {
    if (reader_ == nullptr) return std::optional<ObjectRows>();
    return reader_->next_rows();
  }};
};

/// Null: the sink keeps no record.
Result<std::unique_ptr<SinkReader>> read_sink(const RowSink& sink,
                                              const state::LedgerReader& ledger) {
  Result<std::unique_ptr<SinkReader>> reader = sink.read(ledger.meta("pipeline").value_or(""));
  if (!reader) {
    if (reader.error().code == ErrorCode::kUnsupported) return std::unique_ptr<SinkReader>();
    return reader;
  }
  const std::uint64_t epoch = (*reader)->mark().epoch;
  if (epoch >= ledger.epoch()) return reader;
  return Error{ErrorCode::kStateMismatch,
               "the table is at epoch " + std::to_string(epoch) +
                   " and the state folder at epoch " + std::to_string(ledger.epoch()) +
                   ": the table was lost or restored since; see docs/repair.md"};
}

class Auditor {
 public:
  Auditor(const FindingVisitor& visit, std::uint64_t ledger_epoch)
      : visit_(visit), ledger_epoch_(ledger_epoch) {}

  AuditReport report;

  void judge(const Subject& subject) {
    const SplitProgress* finished = nullptr;
    const SplitProgress* open = nullptr;
    if (subject.known) {
      ++report.known;
      if (subject.known->finished) finished = &*subject.known->finished;
      if (subject.known->open) open = &*subject.known->open;
    }
    if (subject.listed) ++report.listed;
    for (const SplitProgress* entry : {finished, open}) {
      if (entry == nullptr) continue;
      report.rows_recorded += entry->rows;
      report.rejected += entry->rejected;
    }
    if (finished != nullptr) ++report.finished;
    judge_state(subject, open, finished);
    // What of it is in the table.
    const SplitProgress* loaded = open != nullptr && open->rows + open->rejected > 0 ? open
                                  : finished != nullptr                              ? finished
                                                                                     : open;
    // A loader that runs beside has gone on since the ledger was read.
    if (subject.recorded && subject.recorded->epoch > ledger_epoch_) return;
    if (report.record_was_read) judge_record(subject, loaded);
    if (report.rows_were_counted) judge_rows(subject, loaded);
  }

 private:
  void found(Finding finding, const Subject& subject, const std::string& why) {
    ++report.findings[static_cast<std::size_t>(finding)];
    visit_(finding, subject.key, why);
  }

  void judge_state(const Subject& subject, const SplitProgress* open,
                   const SplitProgress* finished) {
    const SplitProgress* entry = open != nullptr ? open : finished;
    if (entry == nullptr) {
      if (subject.listed) {
        found(Finding::kMissing, subject,
              "listed in " + version_text(*subject.listed) + ", and not loaded");
      }
      return;
    }
    const std::string why = entry->error ? ": " + entry->error->to_string() : "";
    switch (entry->state) {
      case SplitState::kReading:
        found(Finding::kMissing, subject,
              "loaded up to record " + std::to_string(entry->position.record) + " (byte " +
                  std::to_string(entry->position.offset) + ") only");
        return;
      case SplitState::kQuarantined:
        found(Finding::kQuarantined, subject, "quarantined" + why);
        return;
      case SplitState::kGone:
        found(Finding::kGone, subject, "gone" + why);
        return;
      case SplitState::kChanged:
        found(Finding::kChanged, subject, "changed" + why);
        return;
      case SplitState::kFinished:
      case SplitState::kForgotten:
      case SplitState::kRewound:
      case SplitState::kNoted:
        break;
    }
    if (subject.listed && !subject.listed->same_version(entry->object)) {
      found(Finding::kChanged, subject,
            "listed in " + version_text(*subject.listed) + ", loaded in " +
                version_text(entry->object));
    } else if (!subject.listed) {
      found(Finding::kUnlisted, subject, "loaded, and no longer listed");
    }
  }

  void judge_record(const Subject& subject, const SplitProgress* loaded) {
    const bool recorded = subject.recorded && subject.recorded->state != SplitState::kRewound;
    if (!recorded && loaded == nullptr) return;
    if (!recorded) {
      found(Finding::kRecordDiffers, subject,
            "the ledger says " + counts_text(*loaded) + "; the sink has no record of it");
      return;
    }
    if (loaded == nullptr) {
      found(Finding::kRecordDiffers, subject,
            "the sink says " + counts_text(*subject.recorded) + "; the ledger does not know it");
      return;
    }
    // That another version was listed is the ledger's own to know.
    const bool noted = loaded->state == SplitState::kChanged;
    if (subject.recorded->object.same_version(loaded->object) &&
        (noted || subject.recorded->state == loaded->state) &&
        subject.recorded->rows == loaded->rows && subject.recorded->rejected == loaded->rejected) {
      return;
    }
    found(Finding::kRecordDiffers, subject,
          "the ledger says " + counts_text(*loaded) + "; the sink says " +
              counts_text(*subject.recorded));
  }

  void judge_rows(const Subject& subject, const SplitProgress* loaded) {
    std::uint64_t wanted = loaded != nullptr ? loaded->rows : 0;
    for (const ObjectRows& rows : subject.rows) {
      report.rows_counted += rows.rows;
      // What was read on as it grew has rows of each version.
      if (loaded == nullptr || (rows.version != loaded->object.version && !loaded->fingerprint)) {
        found(Finding::kRowsUnknown, subject,
              std::to_string(rows.rows) + " rows of version " + rows.version +
                  ", which nothing tells to have been loaded");
        continue;
      }
      if (rows.records < rows.rows) {
        found(Finding::kRowsDoubled, subject,
              std::to_string(rows.rows) + " rows of only " + std::to_string(rows.records) +
                  " records");
      }
      if (rows.records > wanted) {
        found(Finding::kRowsUnknown, subject,
              "rows of " + std::to_string(rows.records) + " records, but " +
                  std::to_string(wanted) + " were loaded");
      }
      wanted -= std::min(wanted, rows.records);
    }
    if (wanted == 0) return;
    found(Finding::kRowsMissing, subject,
          std::to_string(wanted) + " of " + std::to_string(loaded->rows) +
              " rows are not in the table");
  }

  const FindingVisitor& visit_;
  const std::uint64_t ledger_epoch_;
};

}  // namespace

std::string_view finding_name(Finding finding) noexcept {
  constexpr std::array<std::string_view, kFindings> kNames{
      "missing",      "quarantined",  "gone",         "changed", "record_differs",
      "rows_missing", "rows_doubled", "rows_unknown", "unlisted"};
  return kNames[static_cast<std::size_t>(finding)];
}

std::uint64_t AuditReport::differences() const {
  return std::accumulate(findings.begin(), findings.end(), std::uint64_t{0}) -
         findings[static_cast<std::size_t>(Finding::kUnlisted)];
}

Result<AuditReport> audit(const LoaderOptions& options, const FindingVisitor& visit) {
  Result<SourceUri> uri = parse_source_uri(options.source.from);
  if (!uri) return std::move(uri).error();
  Result<std::unique_ptr<ObjectStore>> store = open_store(*uri, options.source.store);
  if (!store) return std::move(store).error();
  Result<connector::SplitEnumerator> enumerator =
      connector::SplitEnumerator::create(**store, uri->pattern);
  if (!enumerator) return std::move(enumerator).error();
  Result<connector::Glob> glob = connector::Glob::compile(uri->pattern);
  if (!glob) return std::move(glob).error();
  Result<ObjectFilter> filter = ObjectFilter::create(options.source);
  if (!filter) return std::move(filter).error();

  // The ledger first: what the sink and the listing have beyond it is then the newer.
  Result<state::LedgerReader> ledger = state::LedgerReader::open(options.source.state_dir);
  if (!ledger) return std::move(ledger).error();
  const auto bound = [&](std::string_view fact, const std::string& wanted) {
    return check_bound(options.source.state_dir, fact, ledger->meta(fact), wanted);
  };
  for (Result<void> same :
       {bound("store", (*store)->uri()), bound("consumer", consumer_of(options))}) {
    if (!same) return std::move(same).error();
  }
  Result<std::unique_ptr<RowSink>> sink = open_sink(options.to, options.sink);
  if (!sink) return std::move(sink).error();
  Result<std::unique_ptr<SinkReader>> reader = read_sink(**sink, *ledger);
  if (!reader) return std::move(reader).error();

  Subjects subjects(Listing(std::move(*enumerator), *std::move(filter)), *ledger, reader->get());
  Auditor auditor(visit, ledger->epoch());
  auditor.report.record_was_read = *reader != nullptr;
  if (Result<void> begun = subjects.begin(); !begun) return std::move(begun).error();
  auditor.report.rows_were_counted = subjects.rows_are_counted();
  while (true) {
    Result<std::optional<Subject>> subject = subjects.next();
    if (!subject) return std::move(subject).error();
    if (!*subject) return auditor.report;
    // Rows of other pipelines may be in the same table.
    const bool ours = (*subject)->listed || (*subject)->known || (*subject)->recorded ||
                      glob->matches((*subject)->key);
    if (ours) auditor.judge(**subject);
  }
}

}  // namespace leat::executor
