#include "connector/folder_walk.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace leat::connector {
namespace {

// Above all that can follow in a key: the highest character of UTF-8, which is what S3's keys are.
constexpr std::string_view kHighest = "\xf4\x8f\xbf\xbf";

/// What a store lists otherwise would be passed over.
Result<void> check_folders(const ListPage& page, const std::string& level) {
  for (const std::string& folder : page.folders) {
    const bool below = folder.starts_with(level) && folder.size() > level.size();
    if (below && folder.find('/', level.size()) == folder.size() - 1) continue;
    return Error{ErrorCode::kCorrupt, "the store lists the folder \"" + folder + "\" below \"" +
                                          level +
                                          "\": it is to begin so, and to end at the next /"};
  }
  return {};
}

void add_page(ListPage& page, const std::function<FolderVerdict(std::string_view)>& verdict,
              FolderWalk& walk, std::deque<std::string>& inside) {
  struct Seen {
    std::string key;
    std::optional<FolderVerdict> folder;
  };
  std::vector<Seen> seen;
  for (ObjectVersion& object : page.objects) {
    // Markers of folders are no data.
    if (!object.key.ends_with('/')) seen.push_back({std::move(object.key), std::nullopt});
  }
  for (std::string& key : page.unsettled_keys) seen.push_back({std::move(key), std::nullopt});
  for (std::string& folder : page.folders) {
    FolderVerdict judged = verdict(folder);
    // A listing could not begin behind it.
    if (folder.size() + kHighest.size() > kKeyBytesMax) judged = FolderVerdict::kKeep;
    if (judged != FolderVerdict::kSkip) walk.folders.push_back(folder);
    if (judged == FolderVerdict::kLookInside) inside.push_back(folder);
    seen.push_back({std::move(folder), judged});
  }
  std::sort(seen.begin(), seen.end(), [](const Seen& a, const Seen& b) { return a.key < b.key; });
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (seen[i].folder == FolderVerdict::kLookInside) continue;
    // One on each side of a folder is enough to tell that something is there.
    const bool amid = i > 0 && i + 1 < seen.size() && !seen[i - 1].folder && !seen[i].folder &&
                      !seen[i + 1].folder;
    if (amid) continue;
    walk.items.push_back(
        {.key = std::move(seen[i].key), .skipped = seen[i].folder == FolderVerdict::kSkip});
  }
}

}  // namespace

Result<FolderWalk> walk_folders(const ObjectStore& store, const std::string& prefix,
                                const std::function<FolderVerdict(std::string_view)>& verdict,
                                std::size_t pages_max, const std::function<Result<void>()>& ask) {
  FolderWalk walk;
  std::size_t pages = 0;
  std::deque<std::string> levels{prefix};
  const auto keep = [&walk](std::string key) { walk.items.push_back({.key = std::move(key)}); };
  while (!levels.empty()) {
    const std::string level = std::move(levels.front());
    levels.pop_front();
    const std::unique_ptr<ObjectLister> lister =
        pages < pages_max ? store.list_level(level) : nullptr;
    for (bool last = false; !last;) {
      if (lister == nullptr || pages == pages_max) {
        keep(level + std::string(kHighest));  // The rest of it.
        break;
      }
      if (ask) {
        if (Result<void> may = ask(); !may) return std::move(may).error();
      }
      ++pages;
      Result<ListPage> page = lister->next_page();
      if (!page) {
        const ErrorCode code = page.error().code;
        if (code != ErrorCode::kNotFound && code != ErrorCode::kPermissionDenied) {
          return std::move(page).error();
        }
        keep(level);
        break;
      }
      if (Result<void> right = check_folders(*page, level); !right) {
        return std::move(right).error();
      }
      last = page->last;
      const bool of_objects = page->folders.empty();
      add_page(*page, verdict, walk, levels);
      if (of_objects && !last) {
        keep(level + std::string(kHighest));
        break;
      }
    }
  }
  std::sort(walk.items.begin(), walk.items.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  std::sort(walk.folders.begin(), walk.folders.end());
  return walk;
}

std::vector<KeyRange> FolderWalk::kept(const KeyRange& range) const {
  std::vector<KeyRange> parts;
  KeyRange part = range;
  bool holds_something = items.empty();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].skipped) {
      holds_something = true;
      continue;
    }
    const std::size_t first = i;
    while (i + 1 < items.size() && items[i + 1].skipped) ++i;
    const std::string& from = items[first].key;
    if (holds_something && from > part.after) {
      part.until = !range.until.empty() && range.until < from ? range.until : from;
      if (part.after < part.until) parts.push_back(part);
    }
    part.after = std::max(range.after, items[i].key + std::string(kHighest));
    part.until = range.until;
    holds_something = false;
  }
  if (holds_something && (part.until.empty() || part.after < part.until)) {
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<KeyRange> cut_at_folders(const std::vector<KeyRange>& ranges, const FolderWalk& walk,
                                     std::size_t parts) {
  const std::size_t step = std::max<std::size_t>(1, (walk.folders.size() + parts - 1) / parts);
  std::vector<KeyRange> cut;
  auto folder = walk.folders.begin();
  for (KeyRange range : ranges) {
    std::size_t held = 0;  // Folders since the last cut.
    for (; folder != walk.folders.end() && (range.until.empty() || *folder < range.until);
         ++folder) {
      if (*folder <= range.after) continue;
      if (held == step) {
        // A folder's own marker is no data, so its key can belong to neither part.
        cut.push_back({.after = range.after, .until = *folder});
        range.after = *folder;
        held = 0;
      }
      ++held;
    }
    cut.push_back(std::move(range));
  }
  return cut;
}

}  // namespace leat::connector
