// SPDX-License-Identifier: Apache-2.0
// backend/directory/directory_upload: the file beside a backup that says what is known about it.
#include "backend/directory/directory_upload.h"
#include "fuzz/fuzz.h"

namespace collect::fuzz {

void run(std::string_view input) {
  const backups::ObjectMetadata found = directory::parse_metadata(input);
  backups::ObjectMetadata described = found;
  if (described.sha256.empty()) described.sha256 = std::string(64, 'a');
  hold(backups::check_metadata(described).ok(), "what others wrote is as is promised, or lacks it");
  hold(directory::parse_metadata(directory::metadata_text(found)) == found,
       "it is written and read as the same");
  // What an uploader may call things, as a store is given it.
  backups::ObjectMetadata given{std::string(64, '0'), std::string(take_part(input, '\n')),
                                std::string(take_part(input, '\n')), std::string(input)};
  if (backups::check_metadata(given)) {
    hold(directory::parse_metadata(directory::metadata_text(given)) == given, "what was kept comes back");
  }
}

}  // namespace collect::fuzz
