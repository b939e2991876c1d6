// SPDX-License-Identifier: Apache-2.0
// How the commands are spelled.
#pragma once

namespace collect::app {

// Runs a whole command line; the process's exit code.
int run(int argc, char** argv);

}  // namespace collect::app
