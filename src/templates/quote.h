// SPDX-License-Identifier: Apache-2.0
// Texts made safe for other languages: Go's own (strconv.Quote), HTML, JavaScript, URLs.
#pragma once

#include <string>
#include <string_view>

namespace collect::templates {

// Between double quotes; `ascii`: everything else escaped as well.
std::string quote(std::string_view text, bool ascii);
// Between single quotes.
std::string quote_character(char32_t rune, bool ascii);
// Whether the text can stand between backquotes unchanged.
bool can_backquote(std::string_view text);

std::string escape_html(std::string_view text);
std::string escape_js(std::string_view text);
std::string escape_url_query(std::string_view text);

}  // namespace collect::templates
