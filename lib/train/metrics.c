#include <core/file.h>
#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <train/metrics.h>
#include <train/tensorboard.h>

enum { METRICS_LIMIT = 1 << 30 };

/** The step of one line, or -1 when the line is not one of ours (cut by a crash). */
static int64_t line_step(const char *line, size_t length) {
    json_t *object = NULL;
    int64_t step = -1;

    if (hn_json_parse(line, length, "metrics", &object) != HONE_OK)
        return -1;
    if (hn_json_integer(object, "step", "metrics", &step) != HONE_OK)
        step = -1;
    json_decref(object);
    return step;
}

static hone_status keep_until(const char *path, int64_t step) {
    char *text = NULL;
    size_t length = 0;
    hn_bytes kept = {0};
    hone_status status = HONE_OK;

    HN_GO(hn_file_read(path, METRICS_LIMIT, &text, &length));
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        const size_t n = end != NULL ? (size_t)(end - (text + at)) : length - at;
        const int64_t found = line_step(text + at, n);
        if (found >= 1 && found <= step)
            HN_GO(hn_bytes_printf(&kept, "%.*s\n", (int)n, text + at));
        at += n + 1;
    }
    HN_GO(hn_file_replace(path, kept.data != NULL ? kept.data : "", kept.length));
done:
    hn_bytes_clear(&kept);
    hn_free(text);
    return status;
}

hone_status hn_metrics_begin(const char *path, int64_t step) {
    if (step > 0 && hn_file_exists(path))
        return keep_until(path, step);
    return hn_file_replace(path, "", 0);
}

/* A line is put together in place: the loop of steps allocates nothing. Names are the caller's and need no escapes. */
enum { LINE_LIMIT = 4096 };
typedef struct line {
    char text[LINE_LIMIT];
    size_t length;
} line;

static void set_text(line *to, const char *name, const char *value) {
    const size_t left = sizeof to->text - 3 - to->length; /* the end of the line */
    const int n =
        snprintf(to->text + to->length, left, "%s\"%s\":%s", to->length == 0 ? "{" : ",", name, value);
    to->length += n > 0 && (size_t)n < left ? (size_t)n : 0;
}

/** Reals look like reals ("1.0") whatever the locale; what JSON has no word for is left out. */
static void set_real(line *to, const char *name, double value) {
    const char point = localeconv()->decimal_point[0];
    char text[40];

    if (!isfinite(value))
        return;
    (void)snprintf(text, sizeof text - 2, "%.17g", value);
    for (char *c = text; *c != '\0'; c++)
        if (*c == point)
            *c = '.';
    if (strpbrk(text, ".e") == NULL)
        memcpy(text + strlen(text), ".0", 3);
    set_text(to, name, text);
}

static void set_integer(line *to, const char *name, int64_t value) {
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    set_text(to, name, text);
}

/** SFT has no rewards and one answer a row. */
static void set_preference(line *to, const hone_train_metrics *metrics, hone_method method) {
    if (method == HONE_SFT)
        return;
    set_real(to, "rewards/chosen", metrics->reward_chosen);
    set_real(to, "rewards/rejected", metrics->reward_rejected);
    set_real(to, "rewards/margins", metrics->reward_margin);
    set_real(to, "rewards/accuracies", metrics->reward_accuracy);
    set_real(to, "logps/chosen", metrics->logp_chosen);
    set_real(to, "logps/rejected", metrics->logp_rejected);
    if (method != HONE_SRPO)
        return;
    set_real(to, "loss/improvement", metrics->improvement);
    set_real(to, "loss/generation", metrics->generation);
}

/** TensorBoard's scalars are those of the line. */
static hone_status append_events(const char *events, int64_t step, const line *from) {
    json_t *object = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_json_parse(from->text, from->length + 1, "a line of metrics", &object));
    HN_GO(hn_tensorboard_append(events, step, object));
done:
    json_decref(object);
    return status;
}

hone_status hn_metrics_append(const char *path, const char *events, const hone_train_metrics *metrics,
                              hone_method method) {
    line to = {.length = 0};

    set_integer(&to, "step", metrics->step);
    set_real(&to, "epoch", metrics->epoch);
    set_real(&to, "loss", metrics->loss);
    set_real(&to, "learning_rate", metrics->learning_rate);
    set_real(&to, "grad_norm", metrics->grad_norm);
    set_preference(&to, metrics, method);
    set_integer(&to, "pairs", metrics->pairs);
    set_integer(&to, "packs", metrics->packs);
    set_integer(&to, "packed_tokens", metrics->packed_tokens);
    set_integer(&to, "naive_tokens", metrics->naive_tokens);
    set_real(&to, "tree_ratio",
             metrics->packed_tokens > 0 ? (double)metrics->naive_tokens / (double)metrics->packed_tokens
                                        : 0.0);
    set_real(&to, "seconds", metrics->seconds);
    set_real(&to, "pairs_per_second", metrics->pairs_per_second);
    set_real(&to, "tokens_per_second", metrics->tokens_per_second);
    memcpy(to.text + to.length, "}\n", 3);
    HN_TRY(hn_file_append(path, to.text, to.length + 2));
    return events != NULL ? append_events(events, metrics->step, &to) : HONE_OK;
}
