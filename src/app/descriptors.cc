// SPDX-License-Identifier: Apache-2.0
#include "app/descriptors.h"

#include <sys/resource.h>

namespace collect::app {
namespace {

// Connections to PostgreSQL and Redis, transfers of backups with both of their ends, requests to others.
constexpr std::size_t kKeptForTheRest = 512;

}  // namespace

// A shell gives 1024 for the sake of programs that use select(); none of ours does.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

std::size_t connections_within(std::size_t descriptors) {
  return descriptors > 2 * kKeptForTheRest ? descriptors - kKeptForTheRest : descriptors / 2;
}

}  // namespace collect::app
