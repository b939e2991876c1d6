// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/rows.h"

#include <charconv>

#include "backend/postgres/fault.h"
#include "base/hash.h"

namespace collect::postgres {
namespace {

std::int64_t to_int64(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw Fault(internal("expected an integer from PostgreSQL, got another type of column"));
  }
  return number;
}

}  // namespace

Time parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  std::string shaped(text);
  const auto zone = shaped.find_first_of("+-", shaped.find(':'));
  if (zone == std::string::npos) {
    shaped += 'Z';
  } else if (shaped.size() == zone + 3) {
    shaped += ":00";
  }
  if (const auto time = parse_rfc3339(shaped)) return *time;
  const bool early = text.starts_with("-") || text.ends_with("BC");
  return early ? Time{sys_days{year{1} / 1 / 1}} : Time{sys_days{year{9999} / 12 / 31}};
}

std::int64_t Rows::affected() const {
  const std::string_view words = PQcmdTuples(result_.get());
  return words.empty() ? 0 : to_int64(words);
}

std::string_view Rows::tag() const {
  return PQcmdStatus(result_.get());
}

bool Rows::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view Rows::view(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::string Rows::bytes(int row, int column) const {
  const auto text = view(row, column);
  auto bytes = text.starts_with("\\x") ? from_hex(text.substr(2)) : std::nullopt;
  if (!bytes && !is_null(row, column)) {
    throw Fault(internal("expected bytes in hex from PostgreSQL, got another type of column"));
  }
  return std::move(bytes).value_or("");
}

std::int64_t Rows::int64(int row, int column) const {
  return is_null(row, column) ? 0 : to_int64(view(row, column));
}

Time Rows::time(int row, int column) const {
  return is_null(row, column) ? Time{} : parse_timestamp(view(row, column));
}

std::optional<std::string> Rows::maybe_text(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return text(row, column);
}

std::optional<std::int64_t> Rows::maybe_int64(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return int64(row, column);
}

std::optional<Time> Rows::maybe_time(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return time(row, column);
}

}  // namespace collect::postgres
