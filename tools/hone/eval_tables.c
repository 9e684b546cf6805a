#include "eval_tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *text(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static long long integer(const json_t *object, const char *key) {
    return (long long)json_integer_value(json_object_get(object, key));
}

/** null prints as nan. */
static double real(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static const json_t *find(const json_t *list, const char *set, const char *policy, long long revision) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        if (strcmp(text(entry, "set"), set) == 0 && strcmp(text(entry, "policy"), policy) == 0 &&
            integer(entry, "revision") == revision)
            return entry;
    }
    return NULL;
}

static int name_width(const json_t *results) {
    const json_t *list = json_object_get(results, "policies");
    size_t width = 5;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const size_t length = strlen(text(json_array_get(list, i), "name"));
        width = length > width ? length : width;
    }
    return (int)width;
}

static void print_header(const json_t *results) {
    (void)printf("%-*s", name_width(results), "model");
    for (long long r = 0; r <= integer(results, "revisions"); r++)
        (void)printf("  %7lld-revision        ", r);
    (void)putchar('\n');
}

static void print_estimate(const json_t *e, double scale) {
    (void)printf("  %5.1f +-%4.1f [%5.1f,%5.1f]", scale * real(e, "mean"), scale * real(e, "deviation"),
                 scale * real(e, "low"), scale * real(e, "high"));
}

/** A row a model, a column a revision: mean +- deviation [95 % interval], in percent. */
static void print_grid(const json_t *results, const json_t *set, const char *key) {
    const json_t *policies = json_object_get(results, "policies");

    print_header(results);
    for (size_t i = 0; i < json_array_size(policies); i++) {
        const char *name = text(json_array_get(policies, i), "name");
        (void)printf("%-*s", name_width(results), name);
        for (long long r = 0; r <= integer(results, "revisions"); r++)
            print_estimate(
                json_object_get(find(json_object_get(results, "results"), text(set, "name"), name, r), key),
                100.0);
        (void)putchar('\n');
    }
}

static void print_set(const json_t *results, const json_t *set) {
    const json_t *first = json_array_get(json_object_get(results, "results"), 0);
    const char *kind = strcmp(text(set, "name"), "in") == 0 ? "in distribution" : "out of distribution";

    (void)printf("Win rate against %s, %s (%lld rows of %s), %%\n", text(results, "opponent"), kind,
                 integer(set, "rows"), text(set, "data"));
    print_grid(results, set, "win_rate");
    if (json_object_get(first, "score") != NULL) {
        (void)printf("\nScore by %s, %s, %%\n", text(results, "judge"), kind);
        print_grid(results, set, "score");
    }
    (void)putchar('\n');
}

static void print_matches(const json_t *list) {
    if (json_array_size(list) == 0)
        return;
    (void)puts("Head to head: set, revision, win rate of the first, wins/draws/losses, p of the sign test");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *m = json_array_get(list, i);
        (void)printf("%-3s %lld  %s : %s", text(m, "set"), integer(m, "revision"), text(m, "a"),
                     text(m, "b"));
        print_estimate(json_object_get(m, "win_rate"), 100.0);
        (void)printf("  %lld/%lld/%lld  p %.3g\n", integer(m, "wins"), integer(m, "draws"),
                     integer(m, "losses"), real(m, "sign_p"));
    }
    (void)putchar('\n');
}

static void print_paired(const json_t *list) {
    if (json_array_size(list) == 0)
        return;
    (void)printf("Paired on the same rows (%s): set, difference [95 %%], wins/draws/losses, p by signs, by "
                 "bootstrap\n",
                 text(json_array_get(list, 0), "on"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *t = json_array_get(list, i);
        (void)printf("%-3s %s/%lld - %s/%lld  %+.1f [%+.1f,%+.1f]  %lld/%lld/%lld  p %.3g, %.3g\n",
                     text(t, "set"), text(t, "a"), integer(t, "a_revision"), text(t, "b"),
                     integer(t, "b_revision"), 100.0 * real(t, "difference"), 100.0 * real(t, "low"),
                     100.0 * real(t, "high"), integer(t, "wins"), integer(t, "draws"), integer(t, "losses"),
                     real(t, "sign_p"), real(t, "bootstrap_p"));
    }
}

void eval_tables_print(const json_t *results) {
    const json_t *sets = json_object_get(results, "sets"), *judged = json_object_get(results, "judged");

    for (size_t i = 0; i < json_array_size(sets); i++)
        print_set(results, json_array_get(sets, i));
    print_matches(json_object_get(results, "head_to_head"));
    print_paired(json_object_get(results, "paired"));
    if (integer(judged, "failed") > 0)
        (void)printf("\n%lld of %lld comparisons had no verdict and count for nothing\n",
                     integer(judged, "failed"), integer(judged, "asked"));
}
