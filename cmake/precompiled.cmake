# SPDX-License-Identifier: Apache-2.0
# What nearly every source includes of others' headers, parsed once for the product and once for the tests: a third of
# all compiling. A source still includes what it uses; scripts/lint reads the product's without this.

# A precompiled header serves only where the flags are the same, and some libraries ask for these.
add_compile_options(-pthread)
add_compile_definitions(_FILE_OFFSET_BITS=64)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 forgets that such a header is the system's, and then sees overflows in std::string's own code.
  add_compile_options(-Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()

file(WRITE ${PROJECT_BINARY_DIR}/generated/empty.cc "")
# Where tests find the files that they read. A header, so that only those which do are compiled anew in another folder.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/support/source_dir.h CONTENT
     "#define COLLECT_SOURCE_DIR \"${PROJECT_SOURCE_DIR}\"\n" @ONLY)

# collect_precompile(NAME LINKS target... HEADERS header...): the headers of one kind of target.
function(collect_precompile NAME)
  cmake_parse_arguments(PCH "" "" "LINKS;HEADERS" ${ARGN})
  add_library(${NAME} OBJECT ${PROJECT_BINARY_DIR}/generated/empty.cc)
  target_link_libraries(${NAME} PRIVATE ${PCH_LINKS})
  target_precompile_headers(${NAME} PRIVATE ${PCH_HEADERS})
endfunction()

# Tests themselves need not be fast: what they test is optimized, they are compiled in half the time.
set(collect_test_options -O0)

set(standard_headers <algorithm> <array> <atomic> <chrono> <condition_variable> <functional> <map> <memory> <mutex>
    <optional> <set> <span> <string> <string_view> <thread> <unordered_map> <variant> <vector> <fmt/format.h>)
collect_precompile(collect_precompiled LINKS fmt::fmt Threads::Threads HEADERS ${standard_headers})
collect_precompile(collect_precompiled_tests LINKS fmt::fmt Threads::Threads GTest::gmock
                   HEADERS ${standard_headers} <gmock/gmock.h> <gtest/gtest.h>)
target_compile_options(collect_precompiled_tests PRIVATE ${collect_test_options})
