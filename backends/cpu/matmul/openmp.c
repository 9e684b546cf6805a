/**
 * One thread for an OpenMP library that this thread is about to call. oneDNN and some builds of
 * OpenBLAS ask OpenMP how wide to go, and OpenMP's answer belongs to the calling thread. hone itself
 * does not use OpenMP and does not know which runtime the libraries brought: its two functions are
 * looked for among what is loaded.
 */
#include "provider.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int (*get_max_threads)(void);
static void (*set_num_threads)(int);

static void look(void) {
    void *get = dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    void *set = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (get != NULL && set != NULL) {
        /* ISO C has no conversion from an object pointer to a function pointer; POSIX promises the bits. */
        memcpy(&get_max_threads, &get, sizeof get);
        memcpy(&set_num_threads, &set, sizeof set);
    }
}

int hn_cpu_openmp_enter(void) {
    (void)pthread_once(&once, look);
    if (get_max_threads == NULL) {
        return 1;
    }
    int before = get_max_threads();
    if (before != 1) {
        set_num_threads(1);
    }
    return before;
}

void hn_cpu_openmp_leave(int before) {
    if (before != 1) {
        set_num_threads(before);
    }
}
