# SPDX-License-Identifier: Apache-2.0
# Where CMAKE_UNITY_BUILD is on (CMakePresets.json), several sources are compiled as one: what they include is
# read, and what it instantiates made, once for all. Names in their unnamed namespaces then meet; ALONE are those that
# stay apart, because others of the target have a name that they have.

# collect_room(NAME DEPENDS target... [ALONE file...]): the folder's sources become the library collect_NAME, and its
# *_test.cc files, which stand beside what they test, the test program NAME_test.
function(collect_room NAME)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;ALONE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  if(sources)
    add_library(collect_${NAME} STATIC ${sources})
    target_precompile_headers(collect_${NAME} REUSE_FROM collect_precompiled)
    set(scope PUBLIC)
  else()
    add_library(collect_${NAME} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(collect_${NAME} ${scope} ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(collect_${NAME} ${scope} ${ROOM_DEPENDS})
  if(tests)
    collect_test(${NAME}_test SOURCES ${tests} DEPENDS collect_${NAME})
  endif()
  set_source_files_properties(${ROOM_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# collect_test(NAME SOURCES file... DEPENDS target... [ALONE file...] [COST s]): one test program, one CTest entry. COST is
# about how long it may take on a slow machine under the sanitizers.
function(collect_test NAME)
  cmake_parse_arguments(TEST "" "COST" "SOURCES;DEPENDS;ALONE" ${ARGN})
  set_source_files_properties(${TEST_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  add_executable(${NAME} ${TEST_SOURCES})
  target_link_libraries(${NAME} PRIVATE ${TEST_DEPENDS} GTest::gmock_main)
  set_target_properties(${NAME} PROPERTIES UNITY_BUILD OFF)  # tests name many things alike
  target_compile_options(${NAME} PRIVATE ${collect_test_options})
  target_precompile_headers(${NAME} REUSE_FROM collect_precompiled_tests)
  target_include_directories(${NAME} PRIVATE ${PROJECT_BINARY_DIR}/generated)
  add_test(NAME ${NAME} COMMAND ${NAME})
  if(NOT TEST_COST)
    set(TEST_COST 300)
  endif()
  # What may take long begins first, so that at the end no long one runs alone. Only what hangs is ended.
  math(EXPR patience "4 * ${TEST_COST}")
  set_tests_properties(${NAME} PROPERTIES TIMEOUT ${patience} COST ${TEST_COST})
endfunction()
