# SPDX-License-Identifier: Apache-2.0
# cmake -DINPUT=file -DOUTPUT=file.cc -DHEADER=path -DSIGNATURE="std::string_view collect::diff::default_config()" -P
# Writes a source whose function returns the text of INPUT.
file(READ "${INPUT}" text)
# A literal may hold 64 KiB on every compiler; adjacent ones are joined, so one per line is safe.
string(REPLACE "\n" "\n)~text~\"\nR\"~text~(" text "${text}")
file(WRITE "${OUTPUT}"
     "// SPDX-License-Identifier: Apache-2.0\n#include \"${HEADER}\"\n\n${SIGNATURE} {\n  return R\"~text~(${text})~text~\";\n}\n")
