// SPDX-License-Identifier: Apache-2.0
#include "app/man_page.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/version.h"
#include "base/settings.h"

namespace collect::app {
namespace {

// As text of a paragraph: nothing in it is taken for a request of man(7).
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool line_begins = out.empty() || out.back() == '\n';
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

// Lines that stay lines.
std::string lines(std::string_view text) {
  return fmt::format(".nf\n{}\n.fi\n", plain(text));
}

std::string value_of(const CLI::Option& option) {
  if (option.get_type_size() == 0) return "";
  std::string out = fmt::format(" {}", option.get_type_name());
  if (!option.get_default_str().empty()) out += fmt::format(" [{}]", option.get_default_str());
  return out;
}

// How the command is typed: what has to be given, in full.
std::string synopsis(const std::string& words, const CLI::App& command) {
  std::string out = words;
  bool choices = false;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) {
      const std::string name = option->get_name(true);
      out += option->get_required() ? fmt::format(" {}", name) : fmt::format(" [{}]", name);
    } else if (option->get_required()) {
      out += fmt::format(" {}{}", option->get_name(), value_of(*option));
    } else if (option != command.get_help_ptr()) {
      choices = true;
    }
  }
  return choices ? out + " [OPTION]..." : out;
}

std::string commands_below(const std::string& words, const CLI::App& app) {
  std::string out;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string named = fmt::format("{} {}", words, command->get_name());
    if (const std::string deeper = commands_below(named, *command); !deeper.empty()) {
      out += deeper;
      continue;
    }
    out +=
        fmt::format(".SS \"{}\"\n{}.\n", plain(synopsis(named, *command)), plain(command->get_description()));
    for (const CLI::Option* option : command->get_options()) {
      if (option == command->get_help_ptr()) continue;
      const std::string name = option->get_name(option->get_positional(), true);
      out +=
          fmt::format(".TP\n.B {}\n{}.\n", plain(name + value_of(*option)), plain(option->get_description()));
    }
    // One of its own: the parser hands the program's on to every command.
    if (const std::string footer = command->get_footer(); footer != app.get_footer())
      out += ".PP\n" + lines(footer);
  }
  return out;
}

std::string settings() {
  std::string out;
  for (const SettingDeclaration& each : setting_declarations()) {
    out += fmt::format(".TP\n.B {}\n{} Allowed: {}.{}\n", plain(each.name), plain(each.meaning),
                       plain(each.bounds),
                       each.fallback.empty() ? "" : fmt::format(" Default: {}.", plain(each.fallback)));
  }
  return out;
}

}  // namespace

std::string man_page(const CLI::App& app) {
  return fmt::format(
      ".TH COLLECT 1 \"\" \"Collect {}\" \"Collect\"\n.SH NAME\ncollect \\- what a fleet of appliances "
      "reports\n"
      ".SH SYNOPSIS\n.B collect\nCOMMAND [OPTION]...\n.SH DESCRIPTION\n{}\n.PP\n{}"
      ".PP\nEach command says with \\-\\-help what it takes.\n.SH COMMANDS\n{}.SH SETTINGS\n{}"
      ".SH FILES\n.TP\n.I /etc/collect/collect.env\nSettings of the installed service and of its commands.\n"
      ".TP\n.I /etc/collect/config.yml\nRules: what a change is called, how bad it is, who is told.\n"
      ".TP\n.I /var/lib/collect\nWhat the embedded engine keeps.\n"
      ".SH \"SEE ALSO\"\n.I /usr/share/doc/collect/operations.md\n",
      kVersion, plain(app.get_description()), lines(app.get_footer()), commands_below("collect", app),
      settings());
}

}  // namespace collect::app
