# What the compiler and its assembler can do for this processor's family beyond what every compiler can.
include_guard(GLOBAL)
include(CheckCSourceCompiles)
include(CMakePushCheckState)

# HONE_HAVE_AMX: products in tiles. Without it the level "amx" is left out.
cmake_push_check_state(RESET)
set(CMAKE_REQUIRED_FLAGS "-mavx512f -mavx512bf16 -mamx-tile -mamx-bf16")
check_c_source_compiles("
#include <immintrin.h>
int main(void) {
    static const char layout[64] = {1};
    _tile_loadconfig(layout);
    _tile_dpbf16ps(0, 1, 2);
    _tile_release();
    return 0;
}" HONE_HAVE_AMX)
cmake_pop_check_state()
