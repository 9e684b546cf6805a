/* hone-conformance: every operation of hone/backend.h, on every device, against naive loops in double. */
#include "device.h"

#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_PASSED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct arguments {
    cf_selection selection;
    char *device, *isa, *module, *operation, **options;
    long long seed;
    int only_case, json, list, help;
} arguments;

static const char after_options[] =
    "\nWithout options: every device that loads, the built-in one at every instruction set that the machine "
    "has.\n"
    "Each line counts cases and gives the largest error as a part of what is allowed "
    "(tools/conformance/bound.h).\n"
    "Exit status: 0 all passed, 1 some failed, 2 wrong usage.\n"
    "\nExample: hone-conformance --device cpu --isa avx2 --operation attention\n";

static bool split_options(arguments *a) {
    for (int i = 0; a->options != NULL && a->options[i] != NULL; i++) {
        char *equals = strchr(a->options[i], '=');
        if (equals == NULL || a->selection.options == CF_MOST_OPTIONS) {
            (void)fprintf(stderr, "hone-conformance: --option wants NAME=VALUE, at most %d of them, not %s\n",
                          CF_MOST_OPTIONS, a->options[i]);
            return false;
        }
        *equals = 0;
        a->selection.option[a->selection.options++] = (cf_option){a->options[i], equals + 1};
    }
    return true;
}

static bool parse(int argc, const char **argv, arguments *a) {
    const struct poptOption table[] = {
        {"device", 0, POPT_ARG_STRING, &a->device, 0, "a device instead of all", "NAME[:INDEX]"},
        {"isa", 0, POPT_ARG_STRING, &a->isa, 0, "an instruction set instead of all",
         "scalar|avx2|avx512|avx512bf16|amx"},
        {"threads", 0, POPT_ARG_INT, &a->selection.threads, 0, "the bits of 1 thread, with this many too (2)",
         "N"},
        {"seed", 0, POPT_ARG_LONGLONG, &a->seed, 0, "of all contents (1)", "S"},
        {"operation", 0, POPT_ARG_STRING, &a->operation, 0, "an operation instead of all", "OP"},
        {"case", 0, POPT_ARG_INT, &a->only_case, 0, "one case of each operation", "N"},
        {"module", 0, POPT_ARG_STRING, &a->module, 0, "the devices of this module instead", "FILE"},
        {"option", 0, POPT_ARG_ARGV, &a->options, 0, "an option of the device; may be repeated",
         "NAME=VALUE"},
        {"json", 0, POPT_ARG_NONE, &a->json, 0, "an object a line", NULL},
        {"list", 0, POPT_ARG_NONE, &a->list, 0, "list operations and devices, run nothing", NULL},
        {"help", 'h', POPT_ARG_NONE, &a->help, 0, "this text", NULL},
        POPT_TABLEEND};
    poptContext context = poptGetContext("hone-conformance", argc, argv, table, 0);

    poptSetOtherOptionHelp(context, "[OPTION...]");
    const int result = poptGetNextOpt(context);
    const char *rest = poptGetArg(context);
    const bool good = result == -1 && rest == NULL && a->selection.threads >= 1;
    if (result < -1)
        (void)fprintf(stderr, "hone-conformance: %s: %s\n", poptBadOption(context, POPT_BADOPTION_NOALIAS),
                      poptStrerror(result));
    else if (!good)
        (void)fprintf(stderr, "hone-conformance: %s\n", rest != NULL ? rest : "--threads wants at least 1");
    if (good && a->help) {
        poptPrintHelp(context, stdout, 0);
        (void)fputs(after_options, stdout);
    }
    poptFreeContext(context);
    a->selection.device = a->device;
    a->selection.isa = a->isa;
    a->selection.module = a->module;
    return good && split_options(a);
}

static int operation_by_name(const char *name) {
    for (int i = 0; i <= CF_COPIES; i++) {
        if (strcmp(cf_operation_name((hone_operation)i), name) == 0)
            return i;
    }
    (void)fprintf(stderr, "hone-conformance: there is no operation %s; --list shows them\n", name);
    return -1;
}

static void list(const cf_suite *suite) {
    for (int i = 0; i <= CF_COPIES; i++)
        (void)printf("operation %s\n", cf_operation_name((hone_operation)i));
    for (int i = 0; i < suite->targets; i++) {
        const cf_target *target = suite->target[i];
        (void)printf("device %s %s %s\n", target->device, target->isa, target->detail);
    }
}

static int run(cf_suite *suite, const arguments *a) {
    const int only = a->operation != NULL ? operation_by_name(a->operation) : -1;

    if (a->operation != NULL && only < 0)
        return EXIT_USAGE;
    for (int i = 0; i <= CF_COPIES; i++) {
        if (only < 0 || i == only)
            cf_suite_run(suite, (hone_operation)i);
    }
    if (a->json)
        (void)printf("{\"passed\":%lld,\"failed\":%lld}\n", (long long)suite->passed,
                     (long long)suite->failed);
    else
        (void)printf("%lld passed, %lld failed\n", (long long)suite->passed, (long long)suite->failed);
    return suite->failed > 0 ? EXIT_FAILED : EXIT_PASSED;
}

static void free_arguments(arguments *a) {
    for (int i = 0; a->options != NULL && a->options[i] != NULL; i++)
        free(a->options[i]);
    free(a->options);
    free(a->device);
    free(a->isa);
    free(a->module);
    free(a->operation);
}

int main(int argc, const char **argv) {
    arguments a = {.selection = {.threads = 2}, .seed = 1, .only_case = -1};
    int result = EXIT_USAGE;

    const bool parsed = parse(argc, argv, &a);
    if (parsed && a.help) {
        result = EXIT_PASSED;
    } else if (parsed) {
        cf_suite suite = {.seed = (uint64_t)a.seed, .only_case = a.only_case, .json = a.json != 0};
        if (cf_targets_open(&suite, &a.selection)) {
            if (a.list)
                list(&suite);
            result = a.list ? EXIT_PASSED : run(&suite, &a);
        }
        cf_targets_close(&suite);
    }
    free_arguments(&a);
    return result;
}
