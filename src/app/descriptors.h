// SPDX-License-Identifier: Apache-2.0
// How many files and sockets this process may have open, and how many of them the door may fill.
#pragma once

#include <cstddef>

namespace collect::app {

// Raises this process's limit as far as it may itself; what it is then. 0 when the system does not say.
std::size_t raise_descriptor_limit();

// Connections that the door may hold of so many descriptors: the rest is for databases, storages and files.
std::size_t connections_within(std::size_t descriptors);

}  // namespace collect::app
