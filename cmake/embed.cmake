# SPDX-License-Identifier: Apache-2.0
# collect_embed_migrations(TARGET FOLDER HEADER SIGNATURE): FOLDER/NNNN_name.sql, in the order of their numbers,
# become a source of TARGET. It defines SIGNATURE, which HEADER declares: a function without arguments that
# returns std::span<const collect::backend::Migration> (backend/migration.h).
function(collect_embed_migrations TARGET FOLDER HEADER SIGNATURE)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${FOLDER}/*.sql)
  list(SORT files)
  string(MAKE_C_IDENTIFIER ${FOLDER} name)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  string(REPLACE ";" "|" joined "${files}")
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-DINPUTS=${joined}" -DOUTPUT=${output} -DHEADER=${HEADER} "-DSIGNATURE=${SIGNATURE}"
            -P ${PROJECT_SOURCE_DIR}/cmake/embed_migrations.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed_migrations.cmake
    VERBATIM)
  target_sources(${TARGET} PRIVATE ${output})
endfunction()
