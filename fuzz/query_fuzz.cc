// SPDX-License-Identifier: Apache-2.0
// operators/parameters, operators/cursor, operators/listing and operators/export: queries and Accept of the
// operator's API, and rows of CSV.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "fuzz/fuzz.h"
#include "operators/cursor.h"
#include "operators/listing.h"

namespace collect::fuzz {
namespace {

std::string encoded(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.append("%").append(1, kDigits[byte / 16U]).append(1, kDigits[byte % 16U]);
  }
  return out;
}

struct Read {
  std::optional<std::string> search;
  std::optional<std::string> word;
  std::optional<bool> flag;
  std::optional<Time> from, to;
  operators::Paging paging;
  bool done = false;
};

Read read(std::string_view query) {
  operators::Parameters parameters(query);
  Read out;
  out.search = parameters.text("search", 64);
  out.word = parameters.word("type", {"ns8", "nsec"});
  out.flag = parameters.flag("resolved");
  out.from = parameters.from("from");
  out.to = parameters.to("to");
  out.paging = operators::read_paging(parameters);
  out.done = parameters.done().ok();
  return out;
}

void hold_query(std::string_view query) {
  const Read got = read(query);
  if (!got.done) return;
  const operators::Paging& paging = got.paging;
  hold(paging.page_size >= 1 && paging.page_size <= 100, "a page has 1 to 100 items");
  hold(paging.page.has_value() != paging.cursor.has_value(), "a page is found by number or by cursor");
  std::string again;
  const auto add = [&](std::string_view name, const auto& value) {
    if (value) again.append(name).append("=").append(encoded(*value)).append("&");
  };
  const auto text = [](const auto& value) {
    return value ? std::optional(std::to_string(*value)) : std::nullopt;
  };
  const auto time = [](const auto& value) {
    return value ? std::optional(to_rfc3339(*value)) : std::nullopt;
  };
  add("search", got.search);
  add("type", got.word);
  if (got.flag) again += *got.flag ? "resolved=true&" : "resolved=false&";
  add("from", time(got.from));
  add("to", time(got.to));
  add("page", text(paging.page));
  add("cursor", paging.cursor);
  add("page_size", text(std::optional(paging.page_size)));
  const Read second = read(again);
  hold(second.done && second.search == got.search && second.word == got.word && second.flag == got.flag &&
           second.from == got.from && second.to == got.to && second.paging.page == paging.page &&
           second.paging.page_size == paging.page_size && second.paging.cursor == paging.cursor,
       "a query is read as it was written");
  hold(!read(std::string(query) + "&unknown=1").done, "a parameter that nobody knows is refused");
  if (got.search) hold(!read(std::string(query) + "&search=a").done, "and so is one that stands there twice");
}

// RFC 9110 section 12.5.1 for one range with a weight.
void hold_accept(std::string_view input) {
  net::RequestHead head;
  head.headers.add("Accept", input);
  hold(operators::format_of(head).ok(), "any Accept is answered with something");
  // What was accepted before stays so when something unknown and something unwanted stand behind it.
  net::RequestHead with_more;
  with_more.headers.add("Accept",
                        "text/csv;q=0.5, image/png;q=1, application/json;q=0.1,application/x-ndjson;q=0");
  hold(*operators::format_of(with_more) == operators::Format::csv, "the best of what is there is given");
  // A range with whatever parameters, behind one with all weight, changes nothing.
  net::RequestHead odd;
  odd.headers.add("Accept",
                  "text/csv;" + std::string(take_part(input, ',')) + ",text/csv,application/x-ndjson;q=0.5");
  hold(*operators::format_of(odd) == operators::Format::csv, "a weight is a number from 0 to 1");
}

// RFC 4180, cell by cell.
std::vector<std::string> cells_of(std::string_view line) {
  hold(line.ends_with("\r\n"), "a row ends with its line");
  line.remove_suffix(2);
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += c;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      cells.emplace_back();
    } else {
      hold(quoted || (c != '\r' && c != '\n'), "a row is one line");
      cells.back() += c;
    }
  }
  hold(!quoted, "a quote ends");
  return cells;
}

void hold_csv(std::string_view text) {
  static constexpr std::array<std::string_view, 3> kColumns = {"a", "b", "c"};
  json::Writer w;
  w.begin_object().member("b", text).member("c", std::int64_t{-7}).end_object();
  const std::string object = std::move(w).text();
  const auto document = json::Document::parse(object);
  if (!document) return;
  const std::string stored(document->root().find("b")->text);
  const auto cells = cells_of(operators::csv_line(object, kColumns));
  hold(cells.size() == 3 && cells[0].empty() && cells[2] == "-7", "a row has its cells");
  const bool guarded =
      !stored.empty() && std::string_view("=+-@\t\r").find(stored[0]) != std::string_view::npos;
  hold(cells[1] == (guarded ? "'" : "") + stored, "a cell is its text, and no formula");
}

}  // namespace

void run(std::string_view input) {
  hold_query(input);
  hold_accept(input);
  hold_csv(input);
  if (const auto id = operators::read_cursor(input)) {
    hold(*id > 0, "a row has a positive number");
    hold(operators::read_cursor(operators::cursor_of(*id)).value() == *id,
         "a cursor is read as it was written");
  }
}

}  // namespace collect::fuzz
