// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "operators/listing.h"

namespace collect::operators {
namespace {

// Items read at a time. Values of diffs can be large.
constexpr std::size_t kAtOnce = 200;

// Spreadsheets run what begins like this, and what appliances report is not ours to vouch for.
bool looks_like_formula(std::string_view text) {
  return !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
}

void append_cell(std::string& line, std::string_view text, bool is_text) {
  const std::string_view guard = is_text && looks_like_formula(text) ? "'" : "";
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    line.append(guard).append(text);
    return;
  }
  line.append("\"").append(guard);
  for (const char c : text) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

class Export final : public net::ByteSource {
 public:
  Export(Listing listing, Format format) : listing_(std::move(listing)), format_(format) {
    if (format_ == Format::csv) text_ = fmt::format("{}\r\n", fmt::join(listing_.columns, ","));
  }

  Result<std::size_t> read(std::span<char> into) override {
    while (at_ == text_.size()) {
      if (ended_) return std::size_t{0};
      if (auto more = fill(); !more) return more.failure();
    }
    const std::size_t size = text_.copy(into.data(), into.size(), at_);
    at_ += size;
    return size;
  }

 private:
  Result<void> fill() {
    const auto items = listing_.read(from_, kAtOnce);
    if (!items) return items.failure();
    text_.clear();
    at_ = 0;
    for (const Item& item : *items) {
      text_ += format_ == Format::csv ? csv_line(item.json, listing_.columns) : item.json + "\n";
    }
    ended_ = listing_.ends_early ? items->empty() : items->size() < kAtOnce;
    if (!items->empty()) from_.cursor = items->back().cursor;
    return {};
  }

  const Listing listing_;
  const Format format_;
  From from_;
  std::string text_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

struct Offer {
  std::string_view type;
  Format format;
};
constexpr Offer kOffers[] = {
    {"application/json", Format::json}, {"text/csv", Format::csv}, {"application/x-ndjson", Format::ndjson}};

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

constexpr int kWhole = 1000;

// In thousandths (RFC 9110 section 12.4.2); what is no weight says nothing.
int weight(std::string_view text) {
  const std::string_view decimals = text.substr(std::min<std::size_t>(text.size(), 2));
  const bool shape = text == "0" || text == "1" || text.starts_with("0.") || text.starts_with("1.");
  if (!shape || decimals.size() > 3 || decimals.find_first_not_of("0123456789") != std::string_view::npos)
    return kWhole;
  int thousandths = (text[0] - '0') * kWhole;
  int unit = kWhole;
  for (const char digit : decimals) thousandths += (digit - '0') * (unit /= 10);
  return std::min(thousandths, kWhole);
}

int weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = parameters.substr(0, parameters.find(';'));
    parameters.remove_prefix(std::min(parameters.size(), parameter.size() + 1));
    const std::string_view said = trimmed(parameter);
    if (net::equal_ignoring_case(said.substr(0, 2), "q=")) return weight(said.substr(2));
  }
  return kWhole;
}

Format accepted(std::string_view accept) {
  Format best = Format::json;
  int most = 0;
  while (!accept.empty()) {
    const std::string_view range = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(accept.size(), range.size() + 1));
    const std::size_t semicolon = std::min(range.find(';'), range.size());
    const std::string_view type = trimmed(range.substr(0, semicolon));
    const int wanted = weight_of(range.substr(semicolon));
    for (const Offer& offer : kOffers) {
      if (!net::equal_ignoring_case(type, offer.type) || wanted <= most) continue;
      most = wanted;
      best = offer.format;
    }
  }
  return best;
}

}  // namespace

std::string csv_line(std::string_view object_json, std::span<const std::string_view> columns) {
  std::string line;
  const auto document = json::Document::parse_checked(object_json);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) line += ',';
    const json::Value* value = document ? document->root().find(columns[i]) : nullptr;
    if (value == nullptr || value->is_null()) continue;
    value->is_string() ? append_cell(line, value->text, true)
                       : append_cell(line, json::to_text(*value), false);
  }
  return line + "\r\n";
}

Result<Format> format_of(const net::RequestHead& head) {
  Parameters parameters(head.query);
  const auto word = parameters.text("format");
  if (!word) return accepted(head.header("Accept"));
  if (*word == "json") return Format::json;
  if (*word == "csv") return Format::csv;
  if (*word == "ndjson") return Format::ndjson;
  return invalid(fmt::format("format: expected one of json, csv, ndjson, got \"{}\"", net::shown(*word)));
}

std::string_view content_type(Format format) {
  switch (format) {
    case Format::json:
      return net::kJson;
    case Format::csv:
      return "text/csv; charset=utf-8; header=present";
    case Format::ndjson:
      return "application/x-ndjson";
  }
  return net::kJson;
}

std::shared_ptr<net::ByteSource> export_of(Listing listing, Format format) {
  return std::make_shared<Export>(std::move(listing), format);
}

}  // namespace collect::operators
