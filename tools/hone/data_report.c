/* What `hone data check` prints. */
#include "cli.h"
#include "data_file.h"

#include <stdio.h>

static bool pairs(const data_file *file) { return file->kind == HONE_DATA_PREFERENCE; }

static double ratio(const hone_packing *p) {
    return p->packed > 0 ? (double)p->separate / (double)p->packed : 0.0;
}

static const char *kind_name(const data_file *file) {
    return pairs(file) ? "pairs" : file->kind == HONE_DATA_COMPLETION ? "completions" : "prompts";
}

static const char *part_name(const data_file *file, int part) {
    static const char *const name[DATA_PARTS] = {"prompt", "draft", "chosen", "rejected"};
    return part == DATA_CHOSEN && !pairs(file) ? "completion" : name[part];
}

static json_t *lengths_json(const data_lengths *l) {
    json_t *bins = json_array();
    for (int b = 0; b < DATA_BINS; b++)
        if (l->bin[b] > 0)
            (void)json_array_append_new(
                bins,
                json_pack("[I,I]", (json_int_t)(b > 0 ? INT64_C(1) << (b - 1) : 0), (json_int_t)l->bin[b]));
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:o}", "least", (json_int_t)l->least, "median",
                     (json_int_t)l->median, "ninety_percent", (json_int_t)l->ninety, "most",
                     (json_int_t)l->most, "total", (json_int_t)l->total, "histogram", bins);
}

static json_t *leaks_json(const data_report *r, int i) {
    json_t *list = json_array();
    for (int k = 0; k < i; k++)
        if (r->file[i].shared[k] > 0)
            (void)json_array_append_new(list, json_pack("{s:s,s:I}", "file", r->file[k].path, "prompts",
                                                        (json_int_t)r->file[i].shared[k]));
    return list;
}

static void add_line(json_t *lines, const char *name, const data_finding *finding) {
    if (finding->count > 0)
        (void)json_object_set_new(lines, name, json_integer((json_int_t)finding->line));
}

static json_t *lines_json(const data_facts *f) {
    json_t *lines = json_object();
    add_line(lines, "duplicates", &f->duplicates);
    add_line(lines, "equal_sides", &f->equal);
    add_line(lines, "empty", &f->empty);
    return lines;
}

static void add_pairs(const data_facts *f, json_t *object) {
    (void)json_object_update_new(
        object,
        json_pack("{s:I,s:I,s:I,s:I,s:f,s:f}", "equal_sides", (json_int_t)f->equal.count, "unsure",
                  (json_int_t)f->unsure, "different_lengths", (json_int_t)f->decided, "longer_preferred",
                  (json_int_t)f->longer, "longer_low", f->longer_low, "longer_high", f->longer_high));
}

static void add_packing(const hone_packing *p, json_t *object) {
    (void)json_object_update_new(
        object,
        json_pack("{s:I,s:I,s:f,s:I,s:I,s:I,s:I,s:I}", "packed_tokens", (json_int_t)p->packed, "naive_tokens",
                  (json_int_t)p->separate, "tree_ratio", ratio(p), "longest_row", (json_int_t)p->longest,
                  "over_budget", (json_int_t)p->over, "cut", (json_int_t)p->cut, "dropped",
                  (json_int_t)p->dropped, "refused", (json_int_t)p->useless));
}

static void add_time(const data_file *file, json_t *object) {
    if (file->epoch_seconds > 0.0)
        (void)json_object_set_new(object, "seconds_per_epoch", json_real(file->epoch_seconds));
    if (file->tokens_per_second > 0.0)
        (void)json_object_set_new(object, "tokens_per_second", json_real(file->tokens_per_second));
    if (file->untimed)
        (void)json_object_set_new(object, "untimed", json_string(file->untimed));
}

static json_t *file_json(const data_report *r, int i) {
    const data_file *file = &r->file[i];
    const data_facts *f = &file->facts;
    json_t *object = json_pack(
        "{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:s}", "file", file->path, "kind", kind_name(file), "rows",
        (json_int_t)f->rows, "prompts", (json_int_t)f->prompts, "duplicates", (json_int_t)f->duplicates.count,
        "empty", (json_int_t)f->empty.count, "leaked_prompts", (json_int_t)file->leaked, "leaks",
        leaks_json(r, i), "first_lines", lines_json(f), "unit", r->tokens ? "tokens" : "characters");
    if (!object)
        return NULL;
    for (int p = 0; p < DATA_PARTS; p++)
        if (f->length[p].rows > 0)
            (void)json_object_set_new(object, part_name(file, p), lengths_json(&f->length[p]));
    if (pairs(file))
        add_pairs(f, object);
    if (file->packed)
        add_packing(&file->packing, object);
    add_time(file, object);
    return object;
}

int data_report_json(const data_report *r) {
    json_t *list = json_array();
    for (int i = 0; i < r->files; i++)
        (void)json_array_append_new(list, file_json(r, i));
    return cli_print_json(json_pack("{s:o}", "files", list));
}

static void print_lengths(const data_report *r, const data_file *file) {
    for (int p = 0; p < DATA_PARTS; p++) {
        const data_lengths *l = &file->facts.length[p];
        if (l->rows > 0)
            (void)printf("  %-10s %lld to %lld %s, median %lld, 90 %% at most %lld\n", part_name(file, p),
                         (long long)l->least, (long long)l->most, r->tokens ? "tokens" : "characters",
                         (long long)l->median, (long long)l->ninety);
    }
}

/** Rows by length, a line for each power of two that is not empty. */
static void print_histogram(const data_report *r, const data_file *file) {
    const data_facts *f = &file->facts;
    char range[48];

    (void)printf("  %-14s", r->tokens ? "tokens" : "characters");
    for (int p = 0; p < DATA_PARTS; p++)
        if (f->length[p].rows > 0)
            (void)printf("  %10s", part_name(file, p));
    (void)putchar('\n');
    for (int b = 0; b < DATA_BINS; b++) {
        int64_t rows = 0;
        for (int p = 0; p < DATA_PARTS; p++)
            rows += f->length[p].bin[b];
        if (rows == 0)
            continue;
        (void)snprintf(range, sizeof range, b > 1 ? "%lld to %lld" : "%lld", b > 0 ? 1LL << (b - 1) : 0LL,
                       (1LL << b) - 1);
        (void)printf("  %-14s", range);
        for (int p = 0; p < DATA_PARTS; p++)
            if (f->length[p].rows > 0)
                (void)printf("  %10lld", (long long)f->length[p].bin[b]);
        (void)putchar('\n');
    }
}

static void print_count(int64_t count, const char *text) {
    if (count > 0)
        (void)printf("  %-10lld %s\n", (long long)count, text);
}

static void print_finding(const data_finding *finding, const char *text) {
    if (finding->count > 0)
        (void)printf("  %-10lld %s (the first in line %lld)\n", (long long)finding->count, text,
                     (long long)finding->line);
}

static void print_leaks(const data_report *r, int i) {
    for (int k = 0; k < i; k++)
        if (r->file[i].shared[k] > 0)
            (void)printf("  %-10lld prompts that %s has as well\n", (long long)r->file[i].shared[k],
                         r->file[k].path);
}

static void print_bias(const data_facts *f) {
    if (f->decided == 0)
        return;
    (void)printf("  the longer side is preferred in %.1f %% of %lld pairs (95 %%: %.1f to %.1f)%s\n",
                 100.0 * (double)f->longer / (double)f->decided, (long long)f->decided, 100.0 * f->longer_low,
                 100.0 * f->longer_high,
                 f->longer_low > 0.5    ? ": length is rewarded"
                 : f->longer_high < 0.5 ? ": brevity is rewarded"
                                        : "");
}

static void print_packing(const data_report *r, const hone_packing *p) {
    (void)printf("  tree ratio %.2f: %lld tokens packed, %lld separate; the largest row has %lld\n", ratio(p),
                 (long long)p->packed, (long long)p->separate, (long long)p->longest);
    if (p->over > 0)
        (void)printf("  %-10lld rows over --pack-tokens %lld: training refuses them\n", (long long)p->over,
                     r->pack_tokens);
    print_count(p->useless, "rows with an empty or two equal answers: training refuses them");
    print_count(p->cut, "rows whose prompt loses its start to the model's longest sequence");
    print_count(p->dropped, "rows too long for the model: left out");
}

/** Seconds, minutes or hours, three digits. */
static void print_seconds(double seconds) {
    if (seconds < 120.0)
        (void)printf("%.3g s", seconds);
    else if (seconds < 7200.0)
        (void)printf("%.3g minutes", seconds / 60.0);
    else
        (void)printf("%.3g hours", seconds / 3600.0);
}

static void print_time(const data_report *r, const data_file *file) {
    if (file->untimed)
        (void)printf("  no estimate of the time: %s\n", file->untimed);
    if (!(file->epoch_seconds > 0.0))
        return;
    (void)printf("  an epoch takes about ");
    print_seconds(file->epoch_seconds);
    if (r->rate > 0.0)
        (void)printf(" at %g pairs/s\n", r->rate);
    else
        (void)printf(" here: %s, %s, %.0f packed tokens/s in a step that was timed\n",
                     hone_method_name(file->loss.method), r->full ? "all weights" : "LoRA",
                     file->tokens_per_second);
}

static void print_file(const data_report *r, int i) {
    static const char *const what[] = {[HONE_DATA_PREFERENCE] = "pairs",
                                       [HONE_DATA_COMPLETION] = "completions",
                                       [HONE_DATA_PROMPT] = "prompts alone"};
    const data_file *file = &r->file[i];
    const data_facts *f = &file->facts;

    (void)printf("%s: %lld rows (%s), %lld prompts\n", file->path, (long long)f->rows, what[file->kind],
                 (long long)f->prompts);
    print_lengths(r, file);
    print_histogram(r, file);
    print_finding(&f->duplicates, "rows repeat an earlier one");
    print_finding(&f->equal, "pairs with equal sides: nothing to learn from them");
    print_finding(&f->empty, "rows with an empty answer");
    print_leaks(r, i);
    print_count(f->unsure, "rows with a preference between 0 and 1");
    print_bias(f);
    if (file->packed)
        print_packing(r, &file->packing);
    print_time(r, file);
}

int data_report_text(const data_report *r) {
    for (int i = 0; i < r->files; i++)
        print_file(r, i);
    return cli_flushed() ? 0 : cli_error("the result could not be written to standard output");
}
