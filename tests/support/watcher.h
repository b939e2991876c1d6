// SPDX-License-Identifier: Apache-2.0
// The process that cleans up after a test program that could not do it itself.
#pragma once

#include <sys/types.h>

#include <filesystem>

namespace collect::test {

// Kill `pid`'s group / remove `folder` once this program is gone, in whatever way it ended. Safe from any
// thread.
void watch_process(pid_t pid);
void forget_process(pid_t pid);
void watch_folder(const std::filesystem::path& folder);
void forget_folder(const std::filesystem::path& folder);

}  // namespace collect::test
