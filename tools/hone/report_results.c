/* Reading what hone eval wrote: it comes from outside, so what is missing is empty. */
#include "report.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

const char *report_string(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

double report_number(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

bool report_has(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) && fabs(json_number_value(value)) < 1e100;
}

json_t *report_values(const json_t *list, const char *key) {
    json_t *found = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_object_get(json_array_get(list, i), key);
        size_t j = 0;
        while (j < json_array_size(found) && !json_equal(json_array_get(found, j), value))
            j++;
        if (json_is_string(value) && j == json_array_size(found))
            (void)json_array_append_new(found, json_deep_copy(value));
    }
    return found;
}

const char *report_set_name(const char *set) {
    return strcmp(set, "in") == 0 ? "in distribution" : strcmp(set, "out") == 0 ? "out of distribution" : set;
}

const json_t *report_estimate(const json_t *results, const char *set, const char *policy, long long revision,
                              const char *key) {
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *entry = json_array_get(results, i), *found = json_object_get(entry, key);
        if (strcmp(report_string(entry, "set"), set) == 0 &&
            strcmp(report_string(entry, "policy"), policy) == 0 &&
            (long long)report_number(entry, "revision") == revision)
            return report_has(found, "mean") ? found : NULL;
    }
    return NULL;
}

const json_t *report_kept(const json_t *all, const char *set, const char *policy, const char *by,
                          const char *key) {
    const json_t *list = json_object_get(all, "kept");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i), *e = json_object_get(entry, key);
        if (strcmp(report_string(entry, "set"), set) == 0 && strcmp(report_string(entry, "by"), by) == 0 &&
            (!policy || strcmp(report_string(entry, "policy"), policy) == 0))
            return report_has(e, "mean") ? e : NULL;
    }
    return NULL;
}

long long report_revisions(const json_t *results) {
    long long most = 0;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const double n = report_number(json_array_get(results, i), "revision");
        most = n > (double)most && n < 1000.0 ? (long long)n : most;
    }
    return most;
}

void report_measure(FILE *to, const json_t *all, const char *key) {
    const bool score = strcmp(key, "score") == 0;
    const char *by = report_string(all, score ? "judge" : "opponent");
    (void)fputs(score ? "Score" : "Win rate", to);
    if (*by) {
        (void)fputs(score ? " by " : " against ", to);
        report_text(to, by);
    }
}
