// SPDX-License-Identifier: Apache-2.0
// backups/backup: ids, keys, and what uploaders call their files.
#include <algorithm>

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
