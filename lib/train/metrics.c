#include <core/file.h>
#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <stdlib.h>
#include <string.h>
#include <train/metrics.h>

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

static void set_real(json_t *object, const char *name, double value) {
    json_object_set_new(object, name, json_real(value));
}

/** SFT has no rewards and one answer a row. */
static void set_preference(json_t *object, const hone_train_metrics *metrics, hone_method method) {
    if (method == HONE_SFT)
        return;
    set_real(object, "rewards/chosen", metrics->reward_chosen);
    set_real(object, "rewards/rejected", metrics->reward_rejected);
    set_real(object, "rewards/margins", metrics->reward_margin);
    set_real(object, "rewards/accuracies", metrics->reward_accuracy);
    set_real(object, "logps/chosen", metrics->logp_chosen);
    set_real(object, "logps/rejected", metrics->logp_rejected);
    if (method != HONE_SRPO)
        return;
    set_real(object, "loss/improvement", metrics->improvement);
    set_real(object, "loss/generation", metrics->generation);
}

hone_status hn_metrics_append(const char *path, const hone_train_metrics *metrics, hone_method method) {
    json_t *object = json_object();
    char *text = NULL;
    hn_bytes line = {0};
    hone_status status = HONE_OK;

    json_object_set_new(object, "step", json_integer(metrics->step));
    set_real(object, "epoch", metrics->epoch);
    set_real(object, "loss", metrics->loss);
    set_real(object, "learning_rate", metrics->learning_rate);
    set_real(object, "grad_norm", metrics->grad_norm);
    set_preference(object, metrics, method);
    json_object_set_new(object, "pairs", json_integer(metrics->pairs));
    json_object_set_new(object, "packs", json_integer(metrics->packs));
    json_object_set_new(object, "packed_tokens", json_integer(metrics->packed_tokens));
    json_object_set_new(object, "naive_tokens", json_integer(metrics->naive_tokens));
    set_real(object, "tree_ratio",
             metrics->packed_tokens > 0 ? (double)metrics->naive_tokens / (double)metrics->packed_tokens
                                        : 0.0);
    set_real(object, "seconds", metrics->seconds);
    set_real(object, "pairs_per_second", metrics->pairs_per_second);
    set_real(object, "tokens_per_second", metrics->tokens_per_second);
    text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (text == NULL) {
        status = hn_fail(HONE_ERROR_MEMORY, "no memory for a line of metrics");
        goto done;
    }
    HN_GO(hn_bytes_printf(&line, "%s\n", text));
    HN_GO(hn_file_append(path, line.data, line.length));
done:
    hn_bytes_clear(&line);
    free(text);
    json_decref(object);
    return status;
}
