// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "app/commands.h"
#include "app/doctor.h"
#include "app/terminal.h"
#include "base/json.h"

namespace collect::app {
namespace {

using backend::Finding;
using backend::State;

std::string_view word_for(State state) {
  switch (state) {
    case State::ok:
      return "ok";
    case State::warning:
      return "warning";
    case State::failure:
      return "failure";
  }
  return "failure";
}

Colour colour_for(State state) {
  switch (state) {
    case State::ok:
      return Colour::green;
    case State::warning:
      return Colour::yellow;
    case State::failure:
      return Colour::bold_red;
  }
  return Colour::none;
}

std::string json_text(const std::vector<Finding>& findings, bool well) {
  json::Writer writer;
  writer.begin_object().member("ok", well).key("findings").begin_array();
  for (const Finding& each : findings) {
    writer.begin_object().member("subject", each.subject).member("state", word_for(each.state));
    writer.member("found", each.found).member("advice", each.advice).end_object();
  }
  writer.end_array().end_object();
  return std::move(writer).text() + "\n";
}

// One for each line: each names a setting.
std::vector<Finding> settings_findings(const std::string& problems) {
  std::vector<Finding> out;
  std::istringstream lines(problems);
  for (std::string line; std::getline(lines, line);) {
    out.push_back({"settings", State::failure, line, "`collect config explain` says what each may be"});
  }
  return out;
}

// The advice stands below what it is for: beside it, lines would be longer than any screen.
std::string table_text(const std::vector<Finding>& findings) {
  Table table({});
  for (const Finding& each : findings) {
    table.add({{std::string(word_for(each.state)), colour_for(each.state)}, {each.subject}, {each.found}});
    if (!each.advice.empty()) table.add({{""}, {""}, {"> " + each.advice, Colour::dim}});
  }
  return table.text();
}

}  // namespace

Exit run_doctor(const DoctorArguments& arguments) {
  const SystemClock clock;
  const auto settings = settings_of_process();
  const std::vector<Finding> findings =
      settings ? examine(*settings, clock) : settings_findings(settings.failure().message);
  const auto count = [&](State state) {
    return std::count_if(findings.begin(), findings.end(),
                         [state](const Finding& each) { return each.state == state; });
  };
  const auto failures = count(State::failure);
  if (arguments.json) {
    fmt::print("{}", json_text(findings, failures == 0));
  } else {
    fmt::print("{}\nfailures: {}, warnings: {}\n", table_text(findings), failures, count(State::warning));
  }
  return failures == 0 ? Exit::ok : Exit::internal;
}

}  // namespace collect::app
