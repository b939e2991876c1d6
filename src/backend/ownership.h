// SPDX-License-Identifier: Apache-2.0
// Whose a file is that a command makes beside a service.
#pragma once

#include <filesystem>

namespace collect::backend {

// Gives what root has just made to the owner of the folder that it is in, as SQLite does with its journals:
// the service may run as that user. Does nothing where we are not root, and leaves it to the next use to say
// what failed.
void give_to_owner_of_folder(const std::filesystem::path& made);

}  // namespace collect::backend
