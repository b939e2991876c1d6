// SPDX-License-Identifier: Apache-2.0
#include "net/chunked.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "net/http.h"

namespace collect::net {
namespace {

constexpr std::size_t kMaxLine = 1024;
// Extensions and trailers carry nothing that we use; without a bound they would be a body without a limit.
constexpr std::size_t kMaxFraming = 16 * 1024;
constexpr std::size_t kMaxSizeDigits = 15;

}  // namespace

ChunkedBody::Status ChunkedBody::malformed(std::string problem) {
  problem_ = std::move(problem);
  return Status::malformed;
}

ChunkedBody::Status ChunkedBody::take_line(std::string_view& input) {
  const std::size_t feed = input.find('\n');
  const std::size_t size = feed == std::string_view::npos ? input.size() : feed + 1;
  if (line_.size() + size > kMaxLine) {
    return malformed(fmt::format("expected lines of at most {} bytes between chunks, got more", kMaxLine));
  }
  line_.append(input.substr(0, size));
  input.remove_prefix(size);
  if (feed == std::string_view::npos) return Status::more;
  if (!line_.ends_with("\r\n"))
    return malformed("expected lines between chunks to end in CR LF, got a line feed");
  line_.resize(line_.size() - 2);
  return Status::done;
}

ChunkedBody::Status ChunkedBody::begin_chunk(std::uint64_t limit) {
  std::uint64_t size = 0;
  const auto [stop, error] = std::from_chars(line_.data(), line_.data() + line_.size(), size, 16);
  const auto digits = static_cast<std::size_t>(stop - line_.data());
  std::string_view extension = std::string_view(line_).substr(digits);
  extension.remove_prefix(std::min(extension.find_first_not_of(" \t"), extension.size()));
  const bool odd = std::any_of(line_.begin(), line_.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
  const bool extension_fits = digits == line_.size() || extension.starts_with(';');
  if (error != std::errc{} || digits == 0 || digits > kMaxSizeDigits || odd || !extension_fits) {
    return malformed(
        fmt::format("expected the size of a chunk in hexadecimal digits, got \"{}\"", shown(line_)));
  }
  framing_ += line_.size() - digits;
  if (framing_ > kMaxFraming) return malformed("expected few chunk extensions, got more than 16 KiB of them");
  if (size > limit - std::min(limit, received_)) return Status::too_large;
  line_.clear();
  chunk_left_ = size;
  part_ = size == 0 ? Part::trailer : Part::data;
  return Status::done;
}

void ChunkedBody::take_data(std::string_view& input, std::string* out) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size()));
  if (out != nullptr) out->append(input.substr(0, size));
  input.remove_prefix(size);
  received_ += size;
  chunk_left_ -= size;
  if (chunk_left_ == 0) part_ = Part::data_end;
}

ChunkedBody::Status ChunkedBody::feed(std::string_view& input, std::string* out, std::uint64_t limit) {
  while (!input.empty()) {
    if (part_ == Part::data) {
      take_data(input, out);
      continue;
    }
    const Status line = take_line(input);
    if (line != Status::done) return line;
    if (part_ == Part::size) {
      const Status begun = begin_chunk(limit);
      if (begun != Status::done) return begun;
    } else if (part_ == Part::data_end) {
      if (!line_.empty()) {
        return malformed(fmt::format("expected a line end after a chunk's data, got \"{}\"", shown(line_)));
      }
      part_ = Part::size;
    } else {
      if (line_.empty()) return Status::done;
      framing_ += line_.size();
      if (framing_ > kMaxFraming) return malformed("expected few trailers, got more than 16 KiB of them");
      line_.clear();
    }
  }
  return Status::more;
}

}  // namespace collect::net
