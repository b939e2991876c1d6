# SPDX-License-Identifier: Apache-2.0
# Flags that hold for every target, and the build helpers that are used where present.

add_compile_options(-Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
                    -Wunused -Woverloaded-virtual -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside its own headers once inlining has mixed them with ours.
  add_compile_options(-Wno-maybe-uninitialized -Wno-null-dereference -Wno-restrict)
endif()

# SSE 4.2 with carry-less multiplication is the floor: simdjson picks its on-demand kernel at compile time.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-march=x86-64-v2 -mpclmul)
endif()

if(COLLECT_SANITIZE)
  add_compile_options(-fsanitize=${COLLECT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${COLLECT_SANITIZE})
  if(COLLECT_SANITIZE MATCHES "address")
    # To look at an object's type, the runtime asks the system for a pipe; where a test leaves no descriptors, it takes
    # every object for a wrong one. The fuzzers still look.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND COLLECT_SANITIZE MATCHES "undefined")
      add_compile_options(-fno-sanitize=vptr)
      add_link_options(-fno-sanitize=vptr)
    endif()
    # Four million relocations at each start otherwise: half of what a run of `collect` takes.
    add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-no-pie>)
  endif()
  if(COLLECT_SANITIZE STREQUAL "thread")
    # The thread sanitizer does not understand fences. Asio's are a second belt beside its mutexes.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    # GCC 12 sees overflows in std::string's own inlined code once it is instrumented.
    add_compile_options(-Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
endif()
if(COLLECT_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # The sloppiness is what ccache asks for before it keeps anything that was built with a precompiled header. The rest
  # lets clones in different folders share what they built.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  else()
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  endif()
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# The binary that people start lies at the top of the build folder.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
