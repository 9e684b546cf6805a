#include "suite.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PRINTED = 4 };

static void (*const cases[HONE_OP_COUNT])(cf_suite *suite) = {
    [HONE_OP_EMBEDDING] = cf_embedding,
    [HONE_OP_EMBEDDING_BACKWARD] = cf_embedding_backward,
    [HONE_OP_RMS_NORM] = cf_rms_norm,
    [HONE_OP_RMS_NORM_BACKWARD] = cf_rms_norm_backward,
    [HONE_OP_LINEAR] = cf_linear,
    [HONE_OP_LINEAR_BACKWARD] = cf_linear_backward,
    [HONE_OP_ROTARY] = cf_rotary,
    [HONE_OP_ATTENTION] = cf_attention,
    [HONE_OP_ATTENTION_BACKWARD] = cf_attention_backward,
    [HONE_OP_SWIGLU] = cf_swiglu,
    [HONE_OP_SWIGLU_BACKWARD] = cf_swiglu_backward,
    [HONE_OP_ADD] = cf_add,
    [HONE_OP_DROPOUT] = cf_dropout,
    [HONE_OP_GATHER_ROWS] = cf_gather_rows,
    [HONE_OP_HEAD_LOGP] = cf_head_logp,
    [HONE_OP_HEAD_LOGP_BACKWARD] = cf_head_logp_backward,
    [HONE_OP_ADAMW] = cf_adamw,
    [HONE_OP_SUM_SQUARES] = cf_sum_squares,
    [HONE_OP_FILL] = cf_fill,
    [HONE_OP_CAST] = cf_cast,
    [HONE_OP_SCATTER_ROWS] = cf_scatter_rows,
};

/* ---- a crash says where it was ---- */

static char running[1024];

static void crashed(int signal_number) {
    static const char head[] = "\nFAIL (the backend crashed) ";

    (void)!write(STDOUT_FILENO, head, sizeof head - 1);
    (void)!write(STDOUT_FILENO, running, strlen(running));
    (void)!write(STDOUT_FILENO, "\n", 1);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static void watch_crashes(void) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action = {.sa_handler = crashed};
        struct sigaction old;
        /* A sanitizer that watches knows better what to say. */
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            (void)sigaction(signals[i], &action, NULL);
    }
}

/* ---- what an operation is run in ---- */

/* Operations with a "w" operand. */
static bool takes_weights(hone_operation operation) {
    return operation == HONE_OP_EMBEDDING || operation == HONE_OP_LINEAR ||
           operation == HONE_OP_LINEAR_BACKWARD || operation == HONE_OP_HEAD_LOGP ||
           operation == HONE_OP_HEAD_LOGP_BACKWARD;
}

/* Operations that multiply matrices without weights. */
static bool multiplies(hone_operation operation) {
    return operation == HONE_OP_ATTENTION || operation == HONE_OP_ATTENTION_BACKWARD;
}

/* ---- reports ---- */

static void print_json(json_t *line) {
    char *text = line != NULL ? json_dumps(line, JSON_COMPACT) : NULL;

    if (text == NULL)
        abort();
    (void)printf("%s\n", text);
    free(text);
    json_decref(line);
}

/* "f32", "f32*q8" with weights stored otherwise, "bf16*q8" where operands of products are rounded. */
static const char *dtype_name(const cf_suite *suite) {
    static char name[32];
    const char *product = suite->rounded ? "bf16" : cf_dtype_name(suite->dtype);

    if (suite->operation == CF_COPIES)
        return "";
    if (suite->storage == suite->dtype && !(suite->rounded && takes_weights(suite->operation)))
        return product;
    (void)snprintf(name, sizeof name, "%s*%s", product, cf_dtype_name(suite->storage));
    return name;
}

static void report_failure(const cf_suite *suite, const cf_target *target, int number, const char *shapes,
                           const cf_verdict *verdict) {
    const char *name = cf_operation_name(suite->operation);
    const char *dtype = dtype_name(suite);
    char again[256];

    (void)snprintf(again, sizeof again, "--device %s%s%s%s --operation %s --seed %llu --case %d",
                   target->device, target->isa[0] != 0 ? " --isa " : "", target->isa,
                   target->rounded ? " --option products=bf16" : "", name, (unsigned long long)suite->seed,
                   number);
    if (suite->json) {
        print_json(json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:s}", "failure", name, "device", target->device,
                             "isa", target->isa, "dtype", dtype, "case", number, "operands", shapes,
                             "problem", verdict->problem, "again", again));
        return;
    }
    (void)printf("FAIL %s %s %s %s, case %d: %s\n     %s\n     again: hone-conformance %s\n", target->device,
                 target->isa, dtype, name, number, shapes, verdict->problem, again);
}

static void report_tally(const cf_suite *suite, const cf_target *target, const cf_tally *tally) {
    const char *name = cf_operation_name(suite->operation);
    const char *dtype = dtype_name(suite);

    if (suite->json) {
        print_json(json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:f,s:i}", "device", target->device, "isa",
                             target->isa, "dtype", dtype, "operation", name, "passed",
                             (json_int_t)tally->passed, "failed", (json_int_t)tally->failed, "worst",
                             tally->worst, "worst_case", tally->worst_case));
        return;
    }
    if (tally->quiet > 0)
        (void)printf("     ... and %lld failures more\n", (long long)tally->quiet);
    (void)printf("%-10s %-10s %-8s %-19s %4lld passed", target->device, target->isa, dtype, name,
                 (long long)tally->passed);
    if (tally->failed > 0)
        (void)printf(", %lld FAILED", (long long)tally->failed);
    if (tally->worst > 0)
        (void)printf(", worst error %.2f of its bound (case %d)", tally->worst, tally->worst_case);
    (void)printf("\n");
}

static void report_missing(cf_suite *suite, const cf_target *target) {
    const char *name = cf_operation_name(suite->operation);

    suite->failed += target->must_be_complete;
    if (suite->json)
        print_json(json_pack("{s:s,s:s,s:s,s:b}", "device", target->device, "isa", target->isa, "missing",
                             name, "failed", target->must_be_complete));
    else
        (void)printf("%-10s %-7s lacks %s%s\n", target->device, target->isa, name,
                     target->must_be_complete ? ": FAILED, a built-in backend has every operation" : "");
}

/* ---- a case ---- */

void cf_begin(cf_suite *suite, cf_case *it) {
    cf_case_begin(it, suite->operation, suite->number++, suite->dtype, suite->seed);
    it->storage = suite->storage;
    it->rounded = suite->rounded;
}

static bool takes_part(const cf_suite *suite, const cf_target *target) {
    return (target->dtypes >> suite->dtype & 1u) != 0 && target->rounded == suite->rounded &&
           (suite->storage == suite->dtype || (target->weight_dtypes >> suite->storage & 1u) != 0) &&
           target->one.backend->operation[suite->operation] != NULL;
}

static void announce(const cf_suite *suite, const cf_target *target, int number) {
    (void)snprintf(running, sizeof running, "%s %s %s %s, case %d, seed %llu", target->device, target->isa,
                   dtype_name(suite), cf_operation_name(suite->operation), number,
                   (unsigned long long)suite->seed);
}

/* `it` and `layout` are for the report; NULL where there are none. */
static void count(cf_suite *suite, int index, int number, const cf_case *it, const cf_layout *layout,
                  const cf_verdict *verdict) {
    cf_tally *tally = &suite->tally[index];
    char shapes[768] = "";

    if (verdict->passed) {
        tally->passed++;
        if (verdict->ratio > tally->worst) {
            tally->worst = verdict->ratio;
            tally->worst_case = number;
        }
        return;
    }
    if (tally->failed++ >= MOST_PRINTED) {
        tally->quiet++;
        return;
    }
    if (it != NULL)
        cf_describe(it, layout, shapes, sizeof shapes);
    report_failure(suite, suite->target[index], number, shapes, verdict);
}

static void run_on(cf_suite *suite, int index, const cf_case *it, const cf_layout *layout) {
    cf_target *target = suite->target[index];
    cf_verdict verdict;

    announce(suite, target, it->number);
    cf_check(it, layout, &target->one, &target->many, &verdict);
    cf_check_request(target, it, &verdict);
    count(suite, index, it->number, it, layout, &verdict);
}

static void same_bits(cf_case *it) {
    for (int i = 0; i < it->operands; i++) {
        cf_operand *o = &it->operand[i];
        for (int64_t j = 0; o->present && o->output && j < cf_count(&o->shape); j++)
            o->bound[j] = CF_SAME;
    }
}

void cf_end(cf_suite *suite, cf_case *it, cf_bound bound) {
    cf_layout layout;

    if (suite->only_case < 0 || suite->only_case == it->number) {
        if (!cf_expect(it))
            abort();
        (bound != NULL ? bound : same_bits)(it);
        cf_layout_choose(it, &layout);
        for (int i = 0; i < suite->targets; i++) {
            if (takes_part(suite, suite->target[i]))
                run_on(suite, i, it, &layout);
        }
    }
    cf_case_end(it);
}

/* ---- an operation ---- */

static void report_all(cf_suite *suite) {
    for (int i = 0; i < suite->targets; i++) {
        const cf_tally *tally = &suite->tally[i];
        if (tally->passed + tally->failed > 0)
            report_tally(suite, suite->target[i], tally);
        suite->passed += tally->passed;
        suite->failed += tally->failed;
    }
    (void)fflush(stdout);
}

static void begin_operation(cf_suite *suite) {
    memset(suite->tally, 0, sizeof suite->tally);
    suite->number = 0;
    for (int i = 0; i < suite->targets; i++)
        suite->target[i]->requests->count = 0;
}

static void run_dtype(cf_suite *suite) {
    bool any = false;

    for (int i = 0; i < suite->targets; i++)
        any = any || takes_part(suite, suite->target[i]);
    if (!any)
        return;
    begin_operation(suite);
    cases[suite->operation](suite);
    report_all(suite);
}

/* Beside f32: weights in fewer bits, and products of operands rounded to bf16. */
static void run_stored(cf_suite *suite) {
    static const int32_t storages[] = {HONE_F32, HONE_BF16, HONE_Q8};

    suite->dtype = HONE_F32;
    for (int i = 0; i < 6; i++) {
        suite->storage = storages[i % 3];
        suite->rounded = i >= 3;
        if (suite->rounded || suite->storage != HONE_F32)
            run_dtype(suite);
    }
    suite->rounded = false;
}

/* Beside f32, where there are no weights. */
static void run_rounded(cf_suite *suite) {
    suite->dtype = suite->storage = HONE_F32;
    suite->rounded = true;
    run_dtype(suite);
    suite->rounded = false;
}

static void run_copies(cf_suite *suite) {
    cf_verdict verdict;

    begin_operation(suite);
    for (int i = 0; i < suite->targets; i++) {
        for (int number = 0; number < cf_copies_cases(); number++) {
            if (suite->only_case >= 0 && suite->only_case != number)
                continue;
            announce(suite, suite->target[i], number);
            cf_copies(&suite->target[i]->one, suite->seed, number, &verdict);
            count(suite, i, number, NULL, NULL, &verdict);
        }
    }
    report_all(suite);
}

void cf_suite_run(cf_suite *suite, hone_operation operation) {
    watch_crashes();
    suite->operation = operation;
    if (operation == CF_COPIES) {
        run_copies(suite);
        return;
    }
    for (int i = 0; i < suite->targets; i++) {
        if (suite->target[i]->one.backend->operation[operation] == NULL)
            report_missing(suite, suite->target[i]);
    }
    for (suite->dtype = 0; suite->dtype < HONE_DTYPE_COUNT; suite->dtype++) {
        suite->storage = suite->dtype;
        run_dtype(suite);
    }
    if (takes_weights(operation))
        run_stored(suite);
    else if (multiplies(operation))
        run_rounded(suite);
}
