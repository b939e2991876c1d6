// SPDX-License-Identifier: Apache-2.0
#include "queue/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"

namespace collect::queue {
namespace {

constexpr std::size_t kMaxReasonCharacters = 1000;
// How often a checked document may be wrapped as {"data": …} on its way here: by the message, and in it by
// the inventory's own envelope.
constexpr int kWrappings = 2;

// ---------------------------------------------------------------- finding without parsing

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] == ' ') ++at;
  return at;
}

// The bytes between the quotes of the value after the first `name` (given with its quotes).
std::string_view first_text_after(std::string_view text, std::string_view name) {
  std::size_t at = text.find(name);
  if (at == std::string_view::npos) return {};
  at = skip_spaces(text, at + name.size());
  if (at == text.size() || text[at] != ':') return {};
  at = skip_spaces(text, at + 1);
  if (at == text.size() || text[at] != '"') return {};
  const std::size_t end = text.find('"', at + 1);
  return end == std::string_view::npos ? std::string_view() : text.substr(at + 1, end - at - 1);
}

// A UUID (RFC 9562, version 8) made of the text: the same text gives the same one.
std::string uuid_of(std::string_view text) {
  Sha256 hash = sha256(text);
  hash[6] = static_cast<unsigned char>((hash[6] & 0x0fU) | 0x80U);
  hash[8] = static_cast<unsigned char>((hash[8] & 0x3fU) | 0x80U);
  const std::string hex = to_hex(hash);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20, 12));
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// ---------------------------------------------------------------- checking

// check() counts nesting from the outermost bracket, but the door counted it from the document's own. So
// where the whole is too deep, what wraps the document is checked apart from it.
Result<void> check_wrapped(std::string_view text, int wrappings) {
  auto whole = json::check(text);
  if (whole || wrappings == 0) return whole;
  const auto members = json::raw_members(text);
  if (!members) return whole;
  std::string wrapping;
  std::size_t copied = 0;
  bool found = false;
  for (const auto& member : *members) {
    if (member.key != "data") continue;
    found = true;
    if (auto inner = check_wrapped(member.text, wrappings - 1); !inner) return whole;
    const auto at = static_cast<std::size_t>(member.text.data() - text.data());
    wrapping.append(text.substr(copied, at - copied)).append("0");
    copied = at + member.text.size();
  }
  if (!found) return whole;
  wrapping.append(text.substr(copied));
  return json::check(wrapping) ? Result<void>() : whole;
}

// ---------------------------------------------------------------- reading

Failure wrong(std::string_view name, std::string_view expected, std::string_view raw) {
  std::string_view came = utf8_prefix(raw, 40);
  return invalid(fmt::format("a message's \"{}\" has to be {}, not {}{}", name, expected, came,
                             came.size() < raw.size() ? "…" : ""));
}

// One member as a parsed scalar. Null counts as missing.
class Field {
 public:
  Field(std::string_view name, std::string_view raw) : name_(name), raw_(raw) {}

  [[nodiscard]] bool missing() const { return raw_.empty() || raw_ == "null"; }
  [[nodiscard]] std::string_view raw() const { return raw_; }

  Result<std::string> text() const {
    if (!raw_.starts_with('"')) return wrong(name_, "a string", raw_);
    const auto document = json::Document::parse_checked(raw_);
    if (!document) return document.failure();
    return std::string(document->root().text);
  }
  Result<int> number(int lowest) const {
    const bool numeric = raw_.starts_with('-') || (raw_[0] >= '0' && raw_[0] <= '9');
    const auto value = numeric ? json::to_int64(raw_) : std::nullopt;
    if (!value || *value < lowest || *value > std::numeric_limits<int>::max()) {
      return wrong(name_, fmt::format("an integer of at least {}", lowest), raw_);
    }
    return static_cast<int>(*value);
  }
  Result<Time> time() const {
    auto written = text();
    if (!written) return written.failure();
    auto parsed = parse_rfc3339(*written);
    if (!parsed) return wrong(name_, "a time as in RFC 3339", raw_);
    return *parsed;
  }

 private:
  std::string_view name_;
  std::string_view raw_;
};

class Fields {
 public:
  explicit Fields(std::vector<json::RawMember> members) : members_(std::move(members)) {}
  // Of several members of one name the last one counts.
  [[nodiscard]] Field find(std::string_view name) const {
    const auto found = std::find_if(members_.rbegin(), members_.rend(),
                                    [name](const json::RawMember& member) { return member.key == name; });
    return {name, found == members_.rend() ? std::string_view() : found->text};
  }

 private:
  std::vector<json::RawMember> members_;
};

Result<Stage> stage_named(const Field& field) {
  auto name = field.text();
  if (!name) return name.failure();
  for (const Stage stage : kStages) {
    if (*name == to_string(stage)) return stage;
  }
  return wrong("type", "inventory, processing or notification", field.raw());
}

// A missing system id is looked for in the data, where an inventory has it too.
Result<std::string> system_in(const Fields& fields, std::string_view data) {
  if (const Field field = fields.find("system_id"); !field.missing()) return field.text();
  auto inner = json::raw_members(data);
  if (!inner) return inner.failure();
  const Fields inner_fields(*std::move(inner));
  if (const Field field = inner_fields.find("system_id"); !field.missing()) return field.text();
  return std::string();
}

// Ids that are no UUID become one, since receipts and tables know nothing else.
Result<MessageId> id_in(const Fields& fields, std::string_view text) {
  const Field field = fields.find("id");
  if (field.missing()) return MessageId(uuid_of(text));
  auto written = field.text();
  if (!written) return written.failure();
  if (written->empty()) return MessageId(uuid_of(text));
  return MessageId(is_uuid(*written) ? lower(*written) : uuid_of(*written));
}

Result<void> read_counts(const Fields& fields, int default_max_attempts, Message& message) {
  message.max_attempts = default_max_attempts;
  if (const Field field = fields.find("attempts"); !field.missing()) {
    auto attempts = field.number(0);
    if (!attempts) return attempts.failure();
    message.attempts = *attempts;
  }
  if (const Field field = fields.find("max_attempts"); !field.missing()) {
    auto most = field.number(0);
    if (!most) return most.failure();
    if (*most > 0) message.max_attempts = *most;  // 0: not set
  }
  return {};
}

Result<void> read_history(const Fields& fields, Message& message) {
  if (const Field field = fields.find("created_at"); !field.missing()) {
    auto time = field.time();
    if (!time) return time.failure();
    message.created_at = *time;
  }
  if (const Field field = fields.find("processed_at"); !field.missing()) {
    auto time = field.time();
    if (!time) return time.failure();
    message.processed_at = *time;
  }
  if (const Field field = fields.find("error"); !field.missing()) {
    auto error = field.text();
    if (!error) return error.failure();
    if (!error->empty()) message.error = *std::move(error);
  }
  return {};
}

// Among them NUL, with which a message could not be read again.
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::string one_line(std::string_view reason) {
  std::string line(utf8_prefix(reason, kMaxReasonCharacters));
  std::replace_if(line.begin(), line.end(), is_control, ' ');
  return line;
}

// The bytes of a text that is no message, in a form that JSON can hold.
std::string wrapped(std::string_view text) {
  bool readable = text.find('\0') == std::string_view::npos;
  for (std::size_t at = 0; readable && at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    readable = length > 0;
    at += length;
  }
  json::Writer writer;
  writer.begin_object();
  if (readable) {
    writer.member("text", text);
  } else {
    writer.member("base64", to_base64(text));
  }
  return std::move(writer.end_object()).text();
}

// What wrapped() was made of; nullopt: it did not make this.
std::optional<std::string> unwrapped(std::string_view data) {
  const auto document = json::Document::parse(data);
  if (!document || document->root().members.size() != 1) return std::nullopt;
  const json::Member& member = document->root().members[0];
  if (!member.value.is_string()) return std::nullopt;
  if (member.key == "text") return std::string(member.value.text);
  return member.key == "base64" ? from_base64(member.value.text) : std::nullopt;
}

// ---------------------------------------------------------------- reading what encode() wrote

// Reads forward what stands there as encode() would write it. Anything else, however valid: nullopt.
class Written {
 public:
  explicit Written(std::string_view text) : rest_(text) {}

  bool skip(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  // Up to the next quote, where that needs neither unescaping nor a look at its UTF-8.
  std::optional<std::string_view> text() {
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] >= ' ' && rest_[end] < 0x7f && rest_[end] != '"' &&
           rest_[end] != '\\')
      ++end;
    if (end == rest_.size() || rest_[end] != '"') return std::nullopt;
    const auto out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return out;
  }
  std::optional<int> number() {
    const std::size_t end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    const auto value = json::to_int64(rest_.substr(0, end));
    if (!value || *value > std::numeric_limits<int>::max() || (rest_[0] == '0' && end > 1))
      return std::nullopt;
    rest_.remove_prefix(end);
    return static_cast<int>(*value);
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

std::optional<Stage> stage_of(std::string_view name) {
  for (const Stage stage : kStages) {
    if (name == to_string(stage)) return stage;
  }
  return std::nullopt;
}

// A message that encode() wrote and nobody failed to handle: the usual case, for a third of what the general
// way costs. Whatever this does not know, or is not as it has to be, is left to that.
std::optional<Message> decode_usual(std::string_view text) {
  Written in(text);
  Message message;
  if (!in.skip("{\"id\":\"")) return std::nullopt;
  const auto id = in.text();
  if (!id || !is_uuid(*id) || !in.skip("\",\"type\":\"")) return std::nullopt;
  const auto type = in.text();
  const auto stage = type ? stage_of(*type) : std::nullopt;
  if (!stage || !in.skip("\",\"system_id\":\"")) return std::nullopt;
  const auto system = in.text();
  if (!system || !in.skip("\",\"attempts\":")) return std::nullopt;
  const auto attempts = in.number();
  if (!attempts || !in.skip(",\"max_attempts\":")) return std::nullopt;
  const auto most = in.number();
  if (!most || *most == 0 || !in.skip(",\"created_at\":\"")) return std::nullopt;
  const auto created = in.text();
  if (!created || !in.skip("\",\"processed_at\":null,\"error\":null,\"data\":{")) return std::nullopt;
  const auto created_at = parse_rfc3339(*created);
  // With its brace, and without that of the message. That this is one object and no more, the check says.
  const auto left = in.rest().size();
  if (!created_at || left < 2 || !text.ends_with("}}")) return std::nullopt;
  const auto data = text.substr(text.size() - left - 1, left);
  if (!json::check(data)) return std::nullopt;
  message.id = MessageId(lower(*id));
  message.type = *stage;
  message.system_id = SystemId(std::string(*system));
  message.data = data;
  message.attempts = *attempts;
  message.max_attempts = *most;
  message.created_at = *created_at;
  return message;
}

}  // namespace

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::inventory:
      return "inventory";
    case Stage::processing:
      return "processing";
    case Stage::notification:
      return "notification";
  }
  return "inventory";
}

std::string encode(const Message& message) {
  json::Writer head;
  head.begin_object()
      .member("id", message.id.text())
      .member("type", to_string(message.type))
      .member("system_id", message.system_id.text())
      .member("attempts", message.attempts)
      .member("max_attempts", message.max_attempts)
      .member("created_at", to_rfc3339(message.created_at));
  head.key("processed_at");
  if (message.processed_at) {
    head.value(to_rfc3339(*message.processed_at));
  } else {
    head.value(nullptr);
  }
  head.member("error", message.error).end_object();
  std::string text = std::move(head).text();
  text.pop_back();
  text.reserve(text.size() + message.data.size() + 16);
  return text.append(",\"data\":").append(message.data).append("}");
}

Result<Message> decode(std::string_view text, int default_max_attempts) {
  if (auto usual = decode_usual(text)) return *std::move(usual);
  if (auto checked = check_wrapped(text, kWrappings); !checked) {
    return invalid("a message has to be JSON: " + checked.failure().message);
  }
  auto members = json::raw_members(text);
  if (!members) return invalid("a message has to be a JSON object");
  const Fields fields(*std::move(members));

  const Field data = fields.find("data");
  if (data.missing()) return invalid("a message needs \"data\", there is none");
  if (!data.raw().starts_with('{')) return wrong("data", "an object", data.raw());
  Message message;
  message.data = data.raw();
  auto id = id_in(fields, text);
  if (!id) return id.failure();
  message.id = *std::move(id);
  if (const Field type = fields.find("type"); !type.missing()) {
    auto stage = stage_named(type);
    if (!stage) return stage.failure();
    message.type = *stage;
  }
  auto system = system_in(fields, message.data);
  if (!system) return system.failure();
  message.system_id = SystemId(*std::move(system));
  if (auto read = read_counts(fields, default_max_attempts, message); !read) return read.failure();
  if (auto read = read_history(fields, message); !read) return read.failure();
  return message;
}

std::string_view system_of(std::string_view text) {
  return first_text_after(text, "\"system_id\"");
}

Message after_failure(Message message, std::string_view reason, Time now) {
  // Anybody may have written a count that cannot grow.
  if (message.attempts < std::numeric_limits<int>::max()) ++message.attempts;
  message.processed_at = now;
  const std::string line =
      fmt::format("attempt {} at {}: {}", message.attempts, to_rfc3339(now), one_line(reason));
  message.error = message.error ? *message.error + "\n" + line : line;
  return message;
}

std::string dead_letter(std::string_view text, Stage stage, std::string_view reason, Time now) {
  Message letter;
  const std::string_view id = first_text_after(text, "\"id\"");
  letter.id = MessageId(is_uuid(id) ? lower(id) : uuid_of(text));
  letter.type = stage;
  const std::string_view system = system_of(text);
  // What stands there is quoted as it is only where that needs no unescaping, and an id only where it can be
  // one.
  if (system.find('\\') == std::string_view::npos && std::none_of(system.begin(), system.end(), is_control) &&
      system.size() <= 255) {
    letter.system_id = SystemId(std::string(system));
  }
  letter.data = wrapped(text);
  letter.created_at = now;
  return encode(after_failure(std::move(letter), reason, now));
}

std::string revived(std::string_view dead_letter) {
  auto message = decode(dead_letter, 1);
  if (!message) return std::string(dead_letter);  // somebody else put it there
  if (auto original = unwrapped(message->data)) return *std::move(original);
  message->attempts = 0;
  message->processed_at.reset();
  return encode(*message);
}

}  // namespace collect::queue
