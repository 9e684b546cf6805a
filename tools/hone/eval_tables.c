#include "eval_tables.h"

#include <math.h>
#include <stdbool.h>
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

/** What a draft can be kept by, as results name it. */
static const char *const kept_by[] = {"likeliest", "best", NULL};

/** Of a policy and a set, or of any (NULL). */
static const json_t *find_kept(const json_t *results, const char *set, const char *policy, const char *by) {
    const json_t *list = json_object_get(results, "kept");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        if (strcmp(text(entry, "by"), by) == 0 && (set == NULL || strcmp(text(entry, "set"), set) == 0) &&
            (policy == NULL || strcmp(text(entry, "policy"), policy) == 0))
            return entry;
    }
    return NULL;
}

/** Intervals are printed while the columns are few; results.json has them all. */
static bool is_wide(const json_t *results) { return integer(results, "revisions") <= 2; }

/** As wide as an estimate, its last letter over the estimate's middle. */
static void print_title(const char *title, bool wide) {
    (void)printf("  %*s%*s", wide ? 17 : 9, title, wide ? 9 : 3, "");
}

static void print_header(const json_t *results) {
    const bool wide = is_wide(results);
    char title[48];

    (void)printf("%-*s", name_width(results), "model");
    for (long long r = 0; r <= integer(results, "revisions"); r++) {
        (void)snprintf(title, sizeof title, wide ? "%lld-revision" : "%lld-rev", r);
        print_title(title, wide);
    }
    for (int k = 0; kept_by[k] != NULL; k++)
        if (find_kept(results, NULL, NULL, kept_by[k]) != NULL)
            print_title(kept_by[k], wide);
    (void)putchar('\n');
}

static void print_estimate(const json_t *e, bool wide) {
    (void)printf("  %5.1f +-%4.1f", 100.0 * real(e, "mean"), 100.0 * real(e, "deviation"));
    if (wide)
        (void)printf(" [%5.1f,%5.1f]", 100.0 * real(e, "low"), 100.0 * real(e, "high"));
}

/** A row a model, a column a revision, then what the model would keep itself: mean +- deviation [95 % interval], in percent. */
static void print_grid(const json_t *results, const json_t *set, const char *key) {
    const json_t *policies = json_object_get(results, "policies");

    print_header(results);
    for (size_t i = 0; i < json_array_size(policies); i++) {
        const char *name = text(json_array_get(policies, i), "name");
        (void)printf("%-*s", name_width(results), name);
        for (long long r = 0; r <= integer(results, "revisions"); r++)
            print_estimate(
                json_object_get(find(json_object_get(results, "results"), text(set, "name"), name, r), key),
                is_wide(results));
        for (int k = 0; kept_by[k] != NULL; k++) {
            const json_t *entry = find_kept(results, text(set, "name"), name, kept_by[k]);
            if (entry != NULL)
                print_estimate(json_object_get(entry, key), is_wide(results));
        }
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

/** The win rate of `a` over `b`, whichever of them the list has first; NAN: not there. */
static double match(const json_t *list, const char *set, long long revision, const char *a, const char *b) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *m = json_array_get(list, i);
        if (strcmp(text(m, "set"), set) != 0 || integer(m, "revision") != revision)
            continue;
        if (strcmp(text(m, "a"), a) == 0 && strcmp(text(m, "b"), b) == 0)
            return 100.0 * real(json_object_get(m, "win_rate"), "value");
        if (strcmp(text(m, "a"), b) == 0 && strcmp(text(m, "b"), a) == 0)
            return 100.0 - 100.0 * real(json_object_get(m, "win_rate"), "value");
    }
    return (double)NAN;
}

static void print_match_row(const json_t *results, const char *set, long long revision, const char *a) {
    const json_t *policies = json_object_get(results, "policies");

    (void)printf("%-*s", name_width(results), a);
    for (size_t k = 0; k < json_array_size(policies); k++) {
        const double rate = match(json_object_get(results, "head_to_head"), set, revision, a,
                                  text(json_array_get(policies, k), "name"));
        if (isnan(rate))
            (void)printf("  %*s", name_width(results), "-");
        else
            (void)printf("  %*.1f", name_width(results), rate);
    }
    (void)putchar('\n');
}

/** Draft n of each against draft n of each. */
static void print_matches(const json_t *results, const char *set, long long revision) {
    const json_t *policies = json_object_get(results, "policies");

    (void)printf("Head to head at %lld-revision, %s: win rate of the row over the column, %%\n", revision,
                 strcmp(set, "in") == 0 ? "in distribution" : "out of distribution");
    (void)printf("%-*s", name_width(results), "");
    for (size_t i = 0; i < json_array_size(policies); i++)
        (void)printf("  %*s", name_width(results), text(json_array_get(policies, i), "name"));
    (void)putchar('\n');
    for (size_t i = 0; i < json_array_size(policies); i++)
        print_match_row(results, set, revision, text(json_array_get(policies, i), "name"));
    (void)putchar('\n');
}

static void print_all_matches(const json_t *results) {
    const json_t *sets = json_object_get(results, "sets");

    if (json_array_size(json_object_get(results, "head_to_head")) == 0)
        return;
    for (size_t i = 0; i < json_array_size(sets); i++)
        for (long long r = 0; r <= integer(results, "revisions") && r < 2; r++)
            print_matches(results, text(json_array_get(sets, i), "name"), r);
}

/** Drafts 0 and 1 of two models, and each model's draft 1 beside its draft 0; results.json has all. */
static void print_paired(const json_t *list) {
    if (json_array_size(list) == 0)
        return;
    (void)printf("Paired on the same rows (%s): set, difference [95 %%], wins/draws/losses, p by signs, by "
                 "bootstrap\n",
                 text(json_array_get(list, 0), "on"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *t = json_array_get(list, i);
        if (integer(t, "a_revision") > 1)
            continue;
        (void)printf("%-3s %s/%lld - %s/%lld  %+.1f [%+.1f,%+.1f]  %lld/%lld/%lld  p %.3g, %.3g\n",
                     text(t, "set"), text(t, "a"), integer(t, "a_revision"), text(t, "b"),
                     integer(t, "b_revision"), 100.0 * real(t, "difference"), 100.0 * real(t, "low"),
                     100.0 * real(t, "high"), integer(t, "wins"), integer(t, "draws"), integer(t, "losses"),
                     real(t, "sign_p"), real(t, "bootstrap_p"));
    }
}

/** A revision that changed nothing says so. */
static void print_drafts(const json_t *results, const json_t *policy) {
    const json_t *drafts = json_object_get(policy, "drafts");
    const char *before = NULL;

    (void)printf("  %-*s", name_width(results), text(policy, "name"));
    for (size_t n = 0; n < json_array_size(drafts); n++) {
        const json_t *draft = json_array_get(drafts, n);
        const double score = real(draft, "score");
        const bool same = before != NULL && strcmp(before, text(draft, "text")) == 0;
        (void)printf("%s %s", n == 0 ? "" : "  ->", same ? "same" : text(draft, "text"));
        if (!isnan(score) && !same)
            (void)printf(" [%.0f]", 100.0 * score);
        before = text(draft, "text");
    }
    (void)putchar('\n');
}

/** Whole texts: what a number means is seen in what it counts. */
static void print_examples(const json_t *results) {
    const json_t *list = json_object_get(results, "examples");
    const bool scored =
        json_object_get(json_array_get(json_object_get(results, "results"), 0), "score") != NULL;

    if (json_array_size(list) > 0)
        (void)printf("\nThe first rows: drafts and their revisions%s\n", scored ? " [score, %]" : "");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i), *policies = json_object_get(row, "policies");
        (void)printf("\n%s\n", text(row, "prompt"));
        if (text(row, "reference") != NULL)
            (void)printf("  %-*s %s\n", name_width(results), "", text(row, "reference"));
        for (size_t k = 0; k < json_array_size(policies); k++)
            print_drafts(results, json_array_get(policies, k));
    }
}

void eval_tables_print(const json_t *results) {
    const json_t *sets = json_object_get(results, "sets"), *judged = json_object_get(results, "judged");

    for (size_t i = 0; i < json_array_size(sets); i++)
        print_set(results, json_array_get(sets, i));
    print_all_matches(results);
    print_paired(json_object_get(results, "paired"));
    print_examples(results);
    if (integer(judged, "failed") > 0)
        (void)printf(
            "\n%lld of %lld comparisons had no verdict and count for nothing; %lld of the judge's answers "
            "could not be read\n",
            integer(judged, "failed"), integer(judged, "asked"), integer(judged, "unreadable"));
}
