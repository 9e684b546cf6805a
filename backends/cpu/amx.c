/**
 * AMX is there for who asks: its registers are 8 KiB a thread, which Linux saves for processes that requested it alone.
 * What can't be had in full is not used at all.
 */
#include "device.h"

#ifdef HONE_HAVE_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* CPUID leaf 7, EDX. */
enum { BIT_AMX_BF16 = 1 << 22, BIT_AMX_TILE = 1 << 24 };
/* State components, and what asks Linux for one (asm/prctl.h; older headers lack it). */
enum { STATE_TILE_LAYOUT = 17, STATE_TILES = 18, REQUEST_STATE = 0x1023 };

/* The state components that the system saves: XCR0, which may be read where OSXSAVE is set. */
static uint64_t saved_states(void) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) {
        return 0;
    }
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (uint64_t)d << 32 | a;
}

bool hn_cpu_amx_usable(void) {
    const uint64_t states = UINT64_C(1) << STATE_TILE_LAYOUT | UINT64_C(1) << STATE_TILES;
    const unsigned bits = BIT_AMX_BF16 | BIT_AMX_TILE;
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & bits) != bits) {
        return false;
    }
    return (saved_states() & states) == states && syscall(SYS_arch_prctl, REQUEST_STATE, STATE_TILES) == 0;
}
#else
bool hn_cpu_amx_usable(void) { return false; }
#endif
