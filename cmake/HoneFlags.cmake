# Warnings, determinism and sanitizers, as one interface target that every target of ours links.
include_guard(GLOBAL)
add_library(hone_flags INTERFACE)
target_compile_features(hone_flags INTERFACE c_std_11)
target_compile_definitions(hone_flags INTERFACE _GNU_SOURCE)
target_compile_options(hone_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes
  -Wvla -Wundef -Wformat=2 -Wpointer-arith -Wwrite-strings -fno-math-errno -ffp-contract=off)
if(HONE_WERROR)
  target_compile_options(hone_flags INTERFACE -Werror)
endif()
if(HONE_SANITIZE)
  target_compile_options(hone_flags INTERFACE -fsanitize=${HONE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(hone_flags INTERFACE -fsanitize=${HONE_SANITIZE})
endif()
if(HONE_COVERAGE)
  target_compile_options(hone_flags INTERFACE --coverage)
  target_link_options(hone_flags INTERFACE --coverage)
endif()
