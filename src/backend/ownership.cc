// SPDX-License-Identifier: Apache-2.0
#include "backend/ownership.h"

#include <sys/stat.h>
#include <unistd.h>

namespace collect::backend {

void give_to_owner_of_folder(const std::filesystem::path& made) {
  struct stat folder {};
  if (::geteuid() != 0 || ::stat(made.parent_path().c_str(), &folder) != 0) return;
  (void)!::lchown(made.c_str(), folder.st_uid, folder.st_gid);
}

}  // namespace collect::backend
