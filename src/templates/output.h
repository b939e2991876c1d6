// SPDX-License-Identifier: Apache-2.0
// Where text is written to and how much of it may be made.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace collect::templates {

// Text up to a limit. What would pass the limit is dropped, from then on everything is, and full() says so:
// nobody has to look before the end.
class Output {
 public:
  explicit Output(std::size_t limit) : limit_(limit) {}

  // Whether `count` more bytes have room; a request that has none makes it full.
  bool fits(std::size_t count) {
    if (full_ || count > limit_ - text_.size()) full_ = true;
    return !full_;
  }
  void append(std::string_view text) {
    if (fits(text.size())) text_.append(text);
  }
  void append(std::size_t count, char byte) {
    if (fits(count)) text_.append(count, byte);
  }
  void append(char byte) { append(1, byte); }

  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] const std::string& text() const& { return text_; }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::string text_;
  std::size_t limit_;
  bool full_ = false;
};

// What one rendering may spend, and the texts that its functions made; they live as long as it does.
class Workspace {
 public:
  Workspace(std::size_t steps, std::size_t text_limit) : steps_(steps), text_limit_(text_limit) {}

  // False once more was spent than there was.
  bool spend(std::size_t steps) {
    spent_ = spent_ || steps > steps_;
    steps_ = spent_ ? 0 : steps_ - steps;
    return !spent_;
  }
  // Reading or making long texts is work too; without this a loop could copy gigabytes in few steps.
  bool spend_bytes(std::size_t bytes) { return spend(bytes / kBytesPerStep); }

  [[nodiscard]] std::size_t text_limit() const { return text_limit_; }
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

 private:
  static constexpr std::size_t kBytesPerStep = 16;

  std::size_t steps_;
  std::size_t text_limit_;
  bool spent_ = false;
  std::deque<std::string> texts_;
};

}  // namespace collect::templates
