// SPDX-License-Identifier: Apache-2.0
// backups/backup, backend/s3/s3_marks: ids, keys, marks, and what uploaders call their files.
#include <algorithm>

#include "backend/s3/s3_marks.h"
#include "backups/backup.h"
#include "backups/object_store.h"
#include "fuzz/fuzz.h"

namespace collect::fuzz {
namespace {

using backups::BackupId;

void hold_id(const BackupId& id, std::string_view text) {
  const backups::Owner owner{OrganizationId("org"), SystemId("id"), "NETH-AAAA"};
  const std::string key = backups::key_of(owner, id);
  hold(id.text() == text, "an id is the text that it was read from");
  hold(backups::check_key(key).ok(), "an id makes a key");
  hold(backups::id_of_key(key) == id, "a key tells its id");
  hold(key.size() == backups::system_prefix(owner).size() + text.size(), "a key is in its system's folder");
  hold(id.uploaded_at() >= Time() && !to_rfc3339(id.uploaded_at()).empty(), "an id tells its time");
}

void hold_mark(std::string_view text) {
  if (const auto mark = s3::parse_mark(text)) {
    hold(s3::mark_key(*mark) == text, "a mark is read and written as the same");
    hold(backups::check_key(mark->key).ok(), "a mark names an object that may be there");
    hold(!backups::check_key(text).ok(), "a mark is no object");
  }
  const std::string owner = "host:1:boot:upload-0";
  const auto ours = s3::parse_mark(s3::mark_key({std::string(text), owner}));
  hold(ours.has_value() == backups::check_key(text).ok(), "every key can be marked");
  hold(!ours || (ours->key == text && ours->owner == owner), "what was marked is found");
}

}  // namespace

void run(std::string_view input) {
  if (const auto id = BackupId::parse(input)) hold_id(*id, input);
  if (backups::check_key(input)) {
    hold(input.find("..") == std::string_view::npos || input.find("/..") == std::string_view::npos,
         "no segment leads upwards");
    hold(!input.starts_with('/') && !input.ends_with('/') && input.find("//") == std::string_view::npos,
         "no segment is empty");
    const auto id = backups::id_of_key(input);
    hold(!id || input.ends_with(id->text()), "an id is the end of its key");
  }
  (void)backups::check_prefix(input);
  hold_mark(input);

  const std::string name = backups::safe_filename(input);
  hold(name.size() <= 255 &&
           name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               std::string::npos,
       "a name is harmless");
  hold(name.empty() || name.find_first_not_of('.') != std::string::npos, "a name is not just dots");
  hold(backups::safe_filename(name) == name, "a harmless name stays");
  const BackupId made = BackupId::make(input, Time(std::chrono::seconds(1'770'000'000)));
  hold(BackupId::parse(made.text()) == made, "what is made is an id");
  const std::string type = backups::safe_mimetype(input);
  hold(backups::safe_mimetype(type) == type, "a good type stays");
  const backups::ObjectMetadata metadata{std::string(64, 'a'), name, "192.0.2.1", type};
  hold(backups::check_metadata(metadata).ok() || type.ends_with(' ') || type.starts_with(' '),
       "what is made of an upload can be kept");
}

}  // namespace collect::fuzz
