// SPDX-License-Identifier: Apache-2.0
// A chunked body (RFC 9112 section 7.1) taken apart piece by piece. Chunk extensions and trailers are read
// over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace collect::net {

class ChunkedBody {
 public:
  enum class Status {
    more,       // all of the input was used, the body goes on
    done,       // the body is complete; what is left of the input belongs to the next request
    too_large,  // more than the limit, told before the bytes beyond it are kept
    malformed,  // problem() says what was expected and what came
  };

  // Takes from the front of `input` what belongs to the body and appends its data to `out` (nullptr: counts
  // only). After anything but `more` the body is at its end and must not be fed again before restart().
  Status feed(std::string_view& input, std::string* out, std::uint64_t limit);
  void restart() { *this = ChunkedBody(); }

  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  enum class Part { size, data, data_end, trailer };

  Status malformed(std::string problem);
  // Moves one line from the input to line_. `more`: it is not complete yet.
  Status take_line(std::string_view& input);
  Status begin_chunk(std::uint64_t limit);
  void take_data(std::string_view& input, std::string* out);

  Part part_ = Part::size;
  std::string line_;
  std::size_t framing_ = 0;  // bytes of extensions and trailers so far
  std::uint64_t chunk_left_ = 0;
  std::uint64_t received_ = 0;
  std::string problem_;
};

}  // namespace collect::net
