#include <core/memory.h>
#include <core/status.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <train/saver.h>

struct hn_saver {
    const char *folder;
    int64_t keep, step;
    hn_identity identity;
    hn_parameters *parameters;
    const hn_optimizer *optimizer;
    void *copy; /**< of the state at `step`; NULL: it is read from the device */
    pthread_t thread;
    bool running;
    hone_status status; /**< of the last write, until it has been reported */
    char message[1024];
    char *path, *last;
};

uint64_t hn_saver_copy_bytes(const hn_parameters *parameters) {
    const uint64_t bytes = hn_snapshot_bytes(parameters);
    return bytes <= HN_SAVER_COPY_LIMIT ? bytes : 0;
}

hone_status hn_saver_create(const char *folder, int64_t keep, const hn_identity *identity,
                            hn_parameters *parameters, const hn_optimizer *optimizer, hn_saver **out) {
    hn_saver *saver = NULL;

    *out = NULL;
    HN_TRY(hn_alloc(&saver, 1, sizeof *saver, "checkpoint saver"));
    saver->folder = folder;
    saver->keep = keep;
    saver->identity = *identity;
    saver->parameters = parameters;
    saver->optimizer = optimizer;
    *out = saver;
    return HONE_OK;
}

/** What a thread can't hand on by itself: its message. */
static void write_now(hn_saver *saver) {
    saver->status = hn_snapshot_save(saver->folder, &saver->identity, saver->step, saver->keep,
                                     saver->parameters, saver->optimizer, saver->copy, &saver->path);
    snprintf(saver->message, sizeof saver->message, "%s", saver->status == HONE_OK ? "" : hone_message());
}

static void *write_beside(void *argument) {
    write_now(argument);
    return NULL;
}

hone_status hn_saver_wait(hn_saver *saver) {
    if (saver->running)
        (void)pthread_join(saver->thread, NULL);
    saver->running = false;
    if (saver->path != NULL) {
        hn_free(saver->last);
        saver->last = saver->path;
        saver->path = NULL;
    }
    const hone_status status = saver->status;
    saver->status = HONE_OK;
    return status == HONE_OK ? HONE_OK : hn_fail(status, "%s", saver->message);
}

/** Signals belong to the thread that knows how to stop. */
static bool start(hn_saver *saver) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    const bool started = pthread_create(&saver->thread, NULL, write_beside, saver) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return started;
}

hone_status hn_saver_begin(hn_saver *saver, int64_t step) {
    const uint64_t bytes = hn_saver_copy_bytes(saver->parameters);

    HN_TRY(hn_saver_wait(saver));
    saver->step = step;
    if (bytes > 0 && saver->copy == NULL)
        HN_TRY(hn_alloc(&saver->copy, bytes, 1, "copy of the state"));
    if (saver->copy != NULL)
        HN_TRY(hn_snapshot_copy(saver->parameters, saver->optimizer, saver->copy));
    saver->running = saver->copy != NULL && start(saver);
    if (saver->running)
        return HONE_OK;
    write_now(saver);
    return hn_saver_wait(saver);
}

const char *hn_saver_last(const hn_saver *saver) { return saver->last; }

void hn_saver_destroy(hn_saver *saver) {
    if (saver == NULL)
        return;
    if (saver->running)
        (void)pthread_join(saver->thread, NULL);
    hn_free(saver->copy);
    hn_free(saver->path);
    hn_free(saver->last);
    hn_free(saver);
}
