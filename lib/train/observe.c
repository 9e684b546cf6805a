#include <core/status.h>
#include <train/observe.h>

hone_status hn_observe(const hone_train_observer *observer, const char *what, int64_t done, int64_t total) {
    if (observer == NULL)
        return HONE_OK;
    if (observer->prepared != NULL)
        observer->prepared(observer->context, what, done, total);
    if (observer->stop != NULL && observer->stop(observer->context))
        return hn_fail(HONE_ERROR_INTERRUPTED, "stopped at %lld of %lld %s: no step was made",
                       (long long)done, (long long)total, what);
    return HONE_OK;
}
