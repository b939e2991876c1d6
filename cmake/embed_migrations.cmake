# SPDX-License-Identifier: Apache-2.0
# cmake "-DINPUTS=0001_a.sql|0002_b.sql" -DOUTPUT=file.cc -DHEADER=path "-DSIGNATURE=… name()" -P: see embed.cmake.
string(REPLACE "|" ";" inputs "${INPUTS}")
set(source "// SPDX-License-Identifier: Apache-2.0\n#include \"${HEADER}\"\n\n")
string(APPEND source "${SIGNATURE} {\n  static constexpr collect::backend::Migration kAll[] = {\n")
foreach(input IN LISTS inputs)
  get_filename_component(name "${input}" NAME_WE)
  file(READ "${input}" text)
  # A literal may hold 64 KiB on every compiler; adjacent ones are joined, so one per line is safe.
  string(REPLACE "\n" "\n)~text~\"\nR\"~text~(" text "${text}")
  string(APPEND source "{\"${name}\", R\"~text~(${text})~text~\"},\n")
endforeach()
string(APPEND source "  };\n  return kAll;\n}\n")
file(WRITE "${OUTPUT}" "${source}")
