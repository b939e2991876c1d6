// SPDX-License-Identifier: Apache-2.0
// System keys ("NETH-" and eight groups of four hex digits) and system secrets ("my_<public>.<secret>"):
// made, read, and compared with what is stored of them. All functions are safe on any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "systems/system.h"

namespace collect::systems {

// "NETH-0A1B-…": 128 random bits, upper case.
std::string new_system_key();
// Also "NOC-" (older installations), and digits of either case.
bool is_system_key(std::string_view text);

// A system's secret in two parts; both point into the text that was read.
struct SecretParts {
  std::string_view public_part;
  std::string_view secret_part;
};
// Exactly "my_<public>.<secret>": one dot, neither part empty, printable ASCII without spaces, at most 64 and
// 512 characters. nullopt: no such text.
std::optional<SecretParts> parse_system_secret(std::string_view text);

// `text` is shown to the operator once; only `stored` is kept.
struct NewSecret {
  std::string text;
  StoredSecret stored;
};
// The secret part has 40 hex digits (160 random bits), or min_length if that is more; the public part has 20.
NewSecret new_system_secret(std::size_t min_length);

// hex(salt):hex(sha256(salt || secret_part)), the salt's 16 raw bytes before the secret's.
std::string salted_sha256(std::string_view salt, std::string_view secret_part);

// Whether the secret is the stored one. Hashes exactly once whatever `stored` is (nullopt: nobody's, never
// right) and compares in constant time, so that its time tells nothing about what is stored. Hex digits of
// either case.
bool verify_secret(const SecretParts& given, const std::optional<StoredSecret>& stored);

}  // namespace collect::systems
