#include "interrupt.h"

#include <signal.h>

static volatile sig_atomic_t received;

static void note(int number) {
    received = number;
    (void)signal(number, SIG_DFL);
}

void interrupt_begin(void) {
    (void)signal(SIGINT, note);
    (void)signal(SIGTERM, note);
}

bool interrupt_asked(void *context) {
    (void)context;
    return received != 0;
}

int interrupt_code(hone_status status, int code) {
    return status == HONE_ERROR_INTERRUPTED ? 128 + (int)received : code;
}
