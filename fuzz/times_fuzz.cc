// SPDX-License-Identifier: Apache-2.0
// base/clock and backend/s3/s3_answers: times as others write them.
#include <string>

#include "backend/s3/s3_answers.h"
#include "base/clock.h"
#include "fuzz/fuzz.h"
#include "net/http.h"

namespace collect::fuzz {
namespace {

// "2026-01-02T03:04:05.678901Z", for times in the years that have four digits.
void hold_written(Time time) {
  const std::string text = to_rfc3339(time);
  hold(text.size() == 27 && text >= "0001-01-01T00:00:00.000000Z" && text <= "9999-12-31T23:59:59.999999Z",
       "a time that was read can be written");
  const auto again = parse_rfc3339(text);
  hold(again.ok() && *again == time, "a time is read as it was written");
}

}  // namespace

void run(std::string_view input) {
  if (const auto time = parse_rfc3339(input)) {
    hold_written(*time);
    hold(input.size() >= 20 && input.size() <= 35, "a time has its length");
    // Without an offset it is the very time that stands there.
    if (input.back() == 'Z' && input[17] != '6')
      hold(to_rfc3339(*time).substr(0, 10) == input.substr(0, 10), "a day is that day");
  }
  if (const auto time = s3::parse_http_date(input)) {
    const std::string text = net::http_date(*time);
    const auto again = s3::parse_http_date(text);
    hold(again == time, "a date is read as it was written");
    hold_written(*time);
  }
}

}  // namespace collect::fuzz
