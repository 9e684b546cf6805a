/* What the data of a run holds, in a line a file. */
#include "data_facts.h"
#include "report.h"

#include <hone/train.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_facts(FILE *to, const data_facts *f, bool pairs) {
    (void)fprintf(to, "%lld rows, %lld prompts, %lld repeated rows", (long long)f->rows,
                  (long long)f->prompts, (long long)f->duplicates.count);
    if (pairs)
        (void)fprintf(to, ", %lld pairs with equal sides", (long long)f->equal.count);
    (void)fprintf(to, "; median characters: prompt %lld, %s %lld",
                  (long long)f->length[DATA_PROMPT_PART].median, pairs ? "chosen" : "completion",
                  (long long)f->length[DATA_CHOSEN].median);
    if (pairs)
        (void)fprintf(to, ", rejected %lld", (long long)f->length[DATA_REJECTED].median);
    if (f->decided > 0)
        (void)fprintf(to, ". The longer side is preferred in %.1f %% (95 %%: %.1f to %.1f)",
                      100.0 * (double)f->longer / (double)f->decided, 100.0 * f->longer_low,
                      100.0 * f->longer_high);
}

static void put_file(FILE *to, const char *name, const char *path, bool pairs) {
    hone_dataset *data = NULL;
    data_facts facts = {0};

    (void)fprintf(to, "<p class=\"facts\">%s: ", name);
    report_text(to, path);
    (void)fputs(": ", to);
    if (hone_dataset_open(path, pairs ? HONE_DATA_PREFERENCE : HONE_DATA_COMPLETION, &data) == HONE_OK &&
        data_facts_count(data, NULL, &facts) == 0)
        put_facts(to, &facts, pairs);
    else
        (void)fputs("can't be read from here", to);
    (void)fputs(".</p>\n", to);
    data_facts_clear(&facts);
    hone_dataset_destroy(data);
}

/* A number after the last colon is a weight, unless a file has that very name. */
static void drop_weight(char *part) {
    char *colon = strrchr(part, ':'), *end = NULL;
    if (!colon || access(part, F_OK) == 0)
        return;
    (void)strtod(colon + 1, &end);
    if (end != colon + 1 && *end == '\0')
        *colon = '\0';
}

/* Files with commas between, unless a file has that very name. */
static void put_files(FILE *to, const char *name, const char *files, bool pairs) {
    char *copy = files ? strdup(files) : NULL, *rest = NULL;
    if (copy && access(copy, F_OK) == 0)
        put_file(to, name, copy, pairs);
    else if (copy)
        for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
            drop_weight(part);
            put_file(to, name, part, pairs);
        }
    free(copy);
}

void report_data(FILE *to, const report_run *run) {
    hone_train_options options;
    char path[4096];

    if (!run->config || hone_train_options_init(&options) != HONE_OK)
        return;
    (void)snprintf(path, sizeof path, "%s/config.yaml", run->folder);
    if (hone_train_options_load(&options, path) == HONE_OK) {
        const bool pairs = !options.method || strcmp(options.method, "sft") != 0;
        put_files(to, "Data", options.data, pairs);
        put_files(to, "Held-out data", options.eval_data, pairs);
    }
    hone_train_options_clear(&options);
}
