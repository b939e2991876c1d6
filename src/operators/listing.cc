// SPDX-License-Identifier: Apache-2.0
#include "operators/listing.h"

#include <fmt/format.h>

#include "base/json.h"

namespace collect::operators {
namespace {

constexpr std::int64_t kMostPageSize = 100;

std::int64_t pages_of(std::int64_t count, std::int64_t page_size) {
  return (count + page_size - 1) / page_size;
}

}  // namespace

Paging read_paging(Parameters& parameters) {
  Paging paging;
  paging.page = parameters.number("page", 1, kCounted);
  paging.page_size = parameters.number("page_size", 1, kMostPageSize).value_or(paging.page_size);
  paging.cursor = parameters.text("cursor", 128);
  if (paging.page && paging.cursor) {
    parameters.refuse("page", "either page or cursor", std::to_string(*paging.page));
  }
  if (!paging.cursor && !paging.page) paging.page = 1;
  if (paging.page && (*paging.page - 1) * paging.page_size >= kCounted) {
    parameters.refuse(
        "page", fmt::format("a page within the first {} items (go on with cursor, or export all)", kCounted),
        std::to_string(*paging.page));
  }
  return paging;
}

void refuse_paging(Parameters& parameters) {
  for (const char* name : {"page", "page_size", "cursor"}) {
    if (const auto value = parameters.text(name)) {
      parameters.refuse(name, "none, as csv and ndjson have no pages", *value);
    }
  }
}

Result<std::string> page_json(const Listing& listing, const Paging& paging) {
  const auto size = static_cast<std::size_t>(paging.page_size);
  From from{paging.cursor, paging.page ? static_cast<std::size_t>(*paging.page - 1) * size : 0};
  // One more than asked for says whether there is another page.
  auto items = listing.read(from, size + 1);
  if (!items) return items.failure();
  bool next = items->size() > size;
  if (listing.ends_early && !next && !items->empty()) {
    const auto rest = listing.read({items->back().cursor, 0}, 1);
    if (!rest) return rest.failure();
    next = !rest->empty();
  }
  if (items->size() > size) items->resize(size);

  json::Writer out;
  out.begin_object();
  out.key(listing.name).begin_array();
  for (const Item& item : *items) out.raw(item.json);
  out.end_array().key("pagination").begin_object();
  out.member("page", paging.page).member("page_size", paging.page_size);
  if (paging.page) {
    const auto count = listing.count();
    if (!count) return count.failure();
    out.member("total_count", count->count).member("total_count_exact", count->exact);
    out.member("total_pages", pages_of(count->count, paging.page_size));
  } else {
    out.member("total_count", nullptr).member("total_count_exact", nullptr).member("total_pages", nullptr);
  }
  out.member("has_next", next).key("next_cursor");
  next ? out.value(items->back().cursor) : out.value(nullptr);
  out.end_object().end_object();
  std::string text = std::move(out).text();
  text.insert(1, listing.more);
  return text;
}

}  // namespace collect::operators
