/* hone bandit: preference optimisation in tables, with the closed forms to compare. */
#include "bandit_figure.h"
#include "cli.h"
#include "files.h"

#include <hone/bandit.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hone_cmd_bandit(int argc, const char **argv);

#define MOST HONE_BANDIT_MOST_ACTIONS

static const char summary[] =
    "hone bandit: what a preference method learns when policies are tables\n"
    "\n"
    "N completions of one prompt, a preference matrix P (P[i][j] = chance that i is preferred to j) and a "
    "behaviour\n"
    "policy that wrote the data. Prints the trained policy, SRPO's revision policy and the closed forms.\n"
    "P is a JSON file [[0.5,...],...]; without one, the three-completion example of the documentation.";

static const char example[] =
    "  hone bandit --method srpo --beta 1 --behaviour 0.2,0.7,0.1 --figure bandit.svg";

typedef struct arguments {
    char *method, *behaviour, *preference, *figure;
    double beta, alpha, lr;
    long long pairs, steps, seed;
    int expected, json;
} arguments;

/* The problem with room for its numbers. */
typedef struct setting {
    hone_bandit_problem problem;
    double preference[MOST * MOST], behaviour[MOST];
    hone_bandit_options options;
} setting;

static int read_matrix(json_t *root, const char *path, setting *s) {
    size_t n = json_array_size(root);
    if (n < 2 || n > MOST)
        return cli_error("%s: must be a list of 2 to %d rows", path, MOST);
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(root, i);
        if (json_array_size(row) != n)
            return cli_error("%s: row %zu must be a list of %zu numbers, like the others", path, i, n);
        for (size_t j = 0; j < n; j++) {
            const json_t *entry = json_array_get(row, j);
            if (!json_is_number(entry))
                return cli_error("%s: entry [%zu][%zu] must be a number", path, i, j);
            s->preference[i * n + j] = json_number_value(entry);
        }
    }
    s->problem.actions = (int32_t)n;
    return 0;
}

static int read_preference(const char *path, setting *s) {
    s->problem.preference = s->preference;
    if (!path) {
        s->problem.actions = 3;
        memcpy(s->preference, hone_bandit_example(), 9 * sizeof *s->preference);
        return 0;
    }
    json_t *root = cli_read_json(path, "a matrix of preferences is wanted");
    if (!root)
        return 1;
    int code = read_matrix(root, path, s);
    json_decref(root);
    return code;
}

static int read_behaviour(const char *list, setting *s) {
    int32_t n = 0, wanted = s->problem.actions;
    s->problem.behaviour = s->behaviour;
    for (int32_t i = 0; !list && i < wanted; i++)
        s->behaviour[i] = 1.0 / wanted;
    for (const char *at = list; at && *at; n++) {
        char *end = NULL;
        double value = strtod(at, &end);
        if (end == at || (*end != ',' && *end != '\0') || (*end == ',' && end[1] == '\0'))
            return cli_usage("bandit", "--behaviour %s: numbers separated by commas were expected", list);
        if (n < wanted)
            s->behaviour[n] = value;
        at = *end == ',' ? end + 1 : end;
    }
    if (list && n != wanted)
        return cli_usage("bandit", "--behaviour has %d numbers, the preference matrix %d completions", (int)n,
                         (int)wanted);
    return 0;
}

static int read_setting(const arguments *a, setting *s) {
    hone_method method = HONE_SRPO;
    if (a->expected && a->pairs != 0)
        return cli_usage("bandit", "--expected and --pairs exclude each other");
    if (hone_method_parse(a->method ? a->method : "srpo", &method) != HONE_OK ||
        (method != HONE_SRPO && method != HONE_IPO && method != HONE_DPO))
        return cli_usage("bandit", "--method %s: srpo, ipo or dpo", a->method);
    int code = read_preference(a->preference, s);
    if (code == 0)
        code = read_behaviour(a->behaviour, s);
    s->options = hone_bandit_defaults(method);
    s->options.loss.beta = a->beta;
    s->options.loss.alpha = a->alpha;
    s->options.pairs = a->pairs;
    s->options.steps = a->steps;
    s->options.lr = a->lr;
    s->options.seed = (uint64_t)a->seed;
    return code;
}

static json_t *list_of(const double *value, int32_t n, bool known) {
    json_t *list = json_array();
    for (int32_t i = 0; i < n; i++)
        if (json_array_append_new(list, known ? json_real(value[i]) : json_null()) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* Rows of pi+, none for methods that have no such policy. */
static json_t *rows_of(const double *value, int32_t n, bool known) {
    json_t *list = json_array();
    for (int32_t i = 0; known && i < n; i++)
        (void)json_array_append_new(list, list_of(value + i * n, n, true));
    return list;
}

static int print_json(const hone_bandit_result *r) {
    const int32_t n = r->actions;
    return cli_print_json(json_pack("{s:o,s:o,s:o,s:o,s:f}", "policy", list_of(r->policy, n, true),
                                    "revision", rows_of(r->revision, n, r->has_revision), "closed_form",
                                    list_of(r->closed_form, n, r->has_closed_form), "closed_form_revision",
                                    rows_of(r->closed_revision, n, r->has_revision), "loss", r->loss));
}

static void print_revision(const hone_bandit_result *r) {
    const int32_t n = r->actions;
    (void)printf("\nrevision: row = draft, column = what follows (closed form in brackets)\n");
    for (int32_t i = 0; i < n; i++) {
        (void)printf("  y%-3d", (int)i);
        for (int32_t j = 0; j < n; j++)
            (void)printf("  %.4f (%.4f)", r->revision[i * n + j], r->closed_revision[i * n + j]);
        (void)fputc('\n', stdout);
    }
}

static int print_table(const setting *s, const hone_bandit_result *r) {
    const hone_bandit_options *o = &s->options;
    (void)printf("%s, beta %g", hone_method_name(o->loss.method), o->loss.beta);
    if (o->loss.method == HONE_SRPO)
        (void)printf(", alpha %g", o->loss.alpha);
    if (o->pairs > 0)
        (void)printf(", %lld sampled pairs", (long long)o->pairs);
    else
        (void)printf(", expected loss");
    (void)printf(", %lld steps: loss %.6f\n\n         behaviour  policy  closed form\n", (long long)o->steps,
                 r->loss);
    for (int32_t i = 0; i < r->actions; i++) {
        (void)printf("  y%-3d      %.4f  %.4f", (int)i, s->behaviour[i], r->policy[i]);
        (void)(r->has_closed_form ? printf("       %.4f\n", r->closed_form[i]) : printf("         none\n"));
    }
    if (r->has_revision)
        print_revision(r);
    return fflush(stdout) == 0 ? 0 : cli_error("the result could not be written to standard output");
}

/* Every method under both behaviours, with the options that were given. */
static int draw(const setting *s, const char *path) {
    static const hone_method method[BANDIT_PANELS] = {HONE_SRPO, HONE_IPO, HONE_DPO};
    bandit_figure figure = {
        {"SRPO", "IPO", "DPO"}, {{NULL}}, s->behaviour, s->options.loss.beta, (long long)s->options.pairs};
    hone_bandit_result *run[BANDIT_PANELS][2] = {{NULL}};
    double uniform[MOST];
    int code = 0;
    for (int32_t i = 0; i < s->problem.actions; i++)
        uniform[i] = 1.0 / s->problem.actions;
    for (int p = 0; p < BANDIT_PANELS && code == 0; p++)
        for (int b = 0; b < 2 && code == 0; b++) {
            hone_bandit_problem problem = s->problem;
            hone_bandit_options options = s->options;
            problem.behaviour = b ? s->behaviour : uniform;
            options.loss.method = method[p];
            hone_status status = hone_bandit_train(&problem, &options, &run[p][b]);
            figure.run[p][b] = run[p][b];
            code = status == HONE_OK ? 0 : cli_fail(status);
        }
    if (code == 0)
        code = bandit_figure_write(&figure, path);
    for (int p = 0; p < BANDIT_PANELS; p++)
        for (int b = 0; b < 2; b++)
            hone_bandit_destroy(run[p][b]);
    return code;
}

static int run(const arguments *a, setting *s) {
    hone_bandit_result *result = NULL;
    int code = read_setting(a, s);
    if (code != 0)
        return code;
    hone_status status = hone_bandit_train(&s->problem, &s->options, &result);
    if (status != HONE_OK)
        return cli_fail(status);
    if (!result->has_closed_form)
        (void)fprintf(stderr, "hone: warning: %s\n", hone_message());
    if (a->figure)
        code = draw(s, a->figure);
    if (code == 0)
        code = a->json ? print_json(result) : print_table(s, result);
    hone_bandit_destroy(result);
    return code;
}

int hone_cmd_bandit(int argc, const char **argv) {
    const hone_bandit_options usual = hone_bandit_defaults(HONE_SRPO);
    arguments a = {.beta = usual.loss.beta, .alpha = usual.loss.alpha, .lr = usual.lr, .steps = usual.steps};
    struct poptOption options[] = {
        {"method", 'm', POPT_ARG_STRING, &a.method, 0, "srpo (default), ipo or dpo", "M"},
        {"beta", 'b', POPT_ARG_DOUBLE | POPT_ARGFLAG_SHOW_DEFAULT, &a.beta, 0, "regularisation", "B"},
        {"alpha", 'a', POPT_ARG_DOUBLE | POPT_ARGFLAG_SHOW_DEFAULT, &a.alpha, 0,
         "SRPO's weight of improvement", "A"},
        {"behaviour", '\0', POPT_ARG_STRING, &a.behaviour, 0, "who wrote the data (default: uniform)",
         "P0,P1,.."},
        {"preference", '\0', POPT_ARG_STRING, &a.preference, 0, "JSON file with the preference matrix",
         "FILE"},
        {"expected", '\0', POPT_ARG_NONE, &a.expected, 0, "train on the expected loss (default)", NULL},
        {"pairs", '\0', POPT_ARG_LONGLONG, &a.pairs, 0, "train on this many sampled pairs", "N"},
        {"steps", '\0', POPT_ARG_LONGLONG | POPT_ARGFLAG_SHOW_DEFAULT, &a.steps, 0, "Adam steps", "N"},
        {"lr", '\0', POPT_ARG_DOUBLE | POPT_ARGFLAG_SHOW_DEFAULT, &a.lr, 0, "Adam's learning rate", "L"},
        {"seed", '\0', POPT_ARG_LONGLONG | POPT_ARGFLAG_SHOW_DEFAULT, &a.seed, 0, "of the sampled pairs",
         "S"},
        {"figure", '\0', POPT_ARG_STRING, &a.figure, 0, "draw all three methods (needs gnuplot)",
         "OUT.svg|OUT.png"},
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "print JSON", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    setting *s = code < 0 ? calloc(1, sizeof *s) : NULL;
    if (s)
        code = run(&a, s);
    else if (code < 0)
        code = cli_error("out of memory");
    free(s);
    free(a.method);
    free(a.behaviour);
    free(a.preference);
    free(a.figure);
    return code;
}
