// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "base/clock.h"
#include "base/json.h"

namespace collect::log {
namespace {

std::atomic<Level> lowest_level{Level::info};
std::atomic<Format> line_format{Format::json};

constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> kColours = {"\033[2m", "", "\033[33m", "\033[31m"};

std::string as_json(const Field::Any& value) {
  json::Writer writer;
  std::visit([&](const auto& v) { writer.value(v); }, value);
  return std::move(writer).text();
}

std::string json_line(Level level, std::string_view event, Fields fields) {
  json::Writer writer;
  writer.begin_object().member("time", to_rfc3339(SystemClock().now()));
  writer.member("level", kNames[static_cast<std::size_t>(level)]).member("event", event);
  for (const Field& field : fields) writer.key(field.name).raw(as_json(field.value));
  writer.end_object();
  return std::move(writer).text() + "\n";
}

std::string console_line(Level level, std::string_view event, Fields fields) {
  static const bool colours = isatty(STDERR_FILENO) == 1;
  const auto index = static_cast<std::size_t>(level);
  std::string line = to_rfc3339(SystemClock().now()).substr(11, 12);
  line += fmt::format(" {}{:5} {}{}", colours ? kColours[index] : "", kNames[index], event,
                      colours ? "\033[0m" : "");
  for (const Field& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    const auto* text = std::get_if<std::string>(&field.value);
    const bool bare =
        text != nullptr && !text->empty() && text->find_first_of(" =\"\n\r\t\033\\") == std::string::npos;
    line += bare ? *text : as_json(field.value);
  }
  return line + "\n";
}

}  // namespace

void configure(Level lowest, Format format) {
  lowest_level = lowest;
  line_format = format;
}

bool enabled(Level level) {
  return level >= lowest_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view event, Fields fields) {
  if (!enabled(level)) return;
  const std::string line =
      line_format == Format::json ? json_line(level, event, fields) : console_line(level, event, fields);
  // One write a line: lines of several threads never mix. A full pipe or disk must not stop the service.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace collect::log
