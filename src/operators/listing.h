// SPDX-License-Identifier: Apache-2.0
// Lists of any kind of thing, as pages of JSON or all at once as CSV or NDJSON.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/count.h"
#include "net/byte_source.h"
#include "net/http.h"
#include "operators/parameters.h"

namespace collect::operators {

// Where a page begins: behind the item with that cursor, or so many items from the first.
struct From {
  std::optional<std::string> cursor;
  std::size_t skip = 0;
};

struct Item {
  std::string json;    // an object
  std::string cursor;  // short, URL-safe
};

// One list with its filters. Its functions may be called for as long as the stores live.
struct Listing {
  std::string_view name;                      // of the list in `data`
  std::string_view message;                   // of the envelope
  std::span<const std::string_view> columns;  // of CSV: members of the items
  // Up to `limit` items, fewer only at the end unless `ends_early`. `invalid`: no such cursor.
  std::function<Result<std::vector<Item>>(const From&, std::size_t limit)> read;
  std::function<Result<Count>()> count;
  std::string more = {};    // members of `data` before the list: "\"record\":null,"
  bool ends_early = false;  // a page may be shorter than asked for: the end is a page without items
};

// `page` and `page_size`, or `cursor` and `page_size`.
struct Paging {
  std::optional<std::int64_t> page;  // none: by cursor
  std::int64_t page_size = 50;
  std::optional<std::string> cursor;
};
Paging read_paging(Parameters& parameters);
// For exports, which have none.
void refuse_paging(Parameters& parameters);

// {"<name>": […], "pagination": {…}}
Result<std::string> page_json(const Listing& listing, const Paging& paging);

enum class Format : std::uint8_t { json, csv, ndjson };
// ?format=, else Accept (RFC 9110 section 12.5.1), else JSON. `invalid`: no such format.
Result<Format> format_of(const net::RequestHead& head);
std::string_view content_type(Format format);

// All items, read so many at a time: what is held does not grow with the list.
std::shared_ptr<net::ByteSource> export_of(Listing listing, Format format);

// One line of CSV (RFC 4180) with its line end: text as it is, null as nothing, all else as JSON. A text that
// a spreadsheet would take for a formula gets an apostrophe before it.
std::string csv_line(std::string_view object_json, std::span<const std::string_view> columns);

}  // namespace collect::operators
