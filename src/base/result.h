// SPDX-License-Identifier: Apache-2.0
// A value, or a failure that the caller can act on. Exceptions are for bugs and exhaustion only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace collect {

// What the caller can do about it:
//   invalid      the input is wrong and will stay wrong: refuse it
//   not_found    what was named does not exist
//   conflict     it exists already, or somebody else changed it first
//   unavailable  a server, a disk or a queue is not there right now: try again later
//   internal     our own bug, or a state that should not exist: log it and give up
enum class FailureKind { invalid, not_found, conflict, unavailable, internal };

constexpr std::string_view to_string(FailureKind kind) {
  switch (kind) {
    case FailureKind::invalid:
      return "invalid";
    case FailureKind::not_found:
      return "not_found";
    case FailureKind::conflict:
      return "conflict";
    case FailureKind::unavailable:
      return "unavailable";
    case FailureKind::internal:
      return "internal";
  }
  return "internal";
}

// `message` is a sentence for people: what was expected, what came, and where. Never a secret.
struct Failure {
  FailureKind kind = FailureKind::internal;
  std::string message;
};

inline Failure invalid(std::string message) {
  return {FailureKind::invalid, std::move(message)};
}
inline Failure not_found(std::string message) {
  return {FailureKind::not_found, std::move(message)};
}
inline Failure conflict(std::string message) {
  return {FailureKind::conflict, std::move(message)};
}
inline Failure unavailable(std::string message) {
  return {FailureKind::unavailable, std::move(message)};
}
inline Failure internal(std::string message) {
  return {FailureKind::internal, std::move(message)};
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose
  Result(Failure failure)
      : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT: implicit on purpose

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Reading the side that is not there is a bug and throws std::bad_variant_access.
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  // Of a temporary by value: in `for (auto& each : list().value())` a reference would dangle.
  T value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  [[nodiscard]] const Failure& failure() const { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : failure_(std::move(failure)) {}  // NOLINT: implicit on purpose

  [[nodiscard]] bool ok() const { return !failure_.has_value(); }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const Failure& failure() const { return failure_.value(); }

 private:
  std::optional<Failure> failure_;
};

}  // namespace collect
