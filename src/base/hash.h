// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4), HMAC (RFC 2104), base64 (RFC 4648 section 4) and hex, over OpenSSL. Thread-safe.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace collect {

using Sha256 = std::array<unsigned char, 32>;

Sha256 sha256(std::string_view data);
Sha256 hmac_sha256(std::string_view key, std::string_view data);

// Lower case, two digits a byte.
std::string to_hex(std::span<const unsigned char> bytes);
std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);

std::string to_base64(std::string_view bytes);
// Strict: alphabet, padding and length must be right.
std::optional<std::string> from_base64(std::string_view text);

// Compares without telling by its time where two texts of equal length differ.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace collect
