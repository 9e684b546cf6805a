#include <math.h>
#include <train/schedule.h>

int64_t hn_schedule_warmup(double warmup, int64_t steps) {
    return (int64_t)ceil(warmup < 1.0 ? warmup * (double)steps : warmup);
}

double hn_schedule_factor(hone_schedule schedule, int64_t step, int64_t steps, int64_t warmup) {
    const double pi = 3.14159265358979323846;
    const double i = (double)(step - 1), w = (double)warmup;
    const double span = steps > warmup ? (double)(steps - warmup) : 1.0;

    if (step - 1 < warmup)
        return i / w;
    switch (schedule) {
    case HONE_SCHEDULE_LINEAR:
        return fmax(0.0, ((double)steps - i) / span);
    case HONE_SCHEDULE_COSINE:
        return 0.5 * (1.0 + cos(pi * fmin(1.0, (i - w) / span)));
    case HONE_SCHEDULE_CONSTANT:
        break;
    }
    return 1.0;
}
