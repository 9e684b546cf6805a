/* hone bench gemm: the matrix products of a training step, each alone. */
#include "bench.h"
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>

static const char summary[] =
    "hone bench gemm: every matrix product of a training step, alone, against the peak\n\n"
    "Forward y = x w', and backward dx = dy w and dw = dy' x, of every linear layer's shape. The peak is "
    "that of "
    "multiply-\n"
    "adds on registers alone, measured in the same run. A product that is alone finds its weights in the "
    "caches; with few "
    "rows\n"
    "it is faster than in a model, see `hone bench decode`.";
static const char example[] = "  hone bench gemm --model smollm2\n"
                              "  hone bench gemm --shape 288,768,6,6,6,32000 --tokens 1 --lora-rank 0";

typedef struct arguments {
    bench bench;
    long long tokens, head_rows, lora_rank, warmup, runs;
} arguments;

static double rate(const hone_bench_product *p, const hone_times *times) {
    const double flops = 2.0 * (double)p->tokens * (double)p->inputs * (double)p->outputs;
    return times->median > 0.0 ? flops / times->median : 0.0;
}

static json_t *pass(const hone_bench_product *p, const hone_times *times, double peak) {
    return json_pack("{s:o,s:f,s:o}", "seconds", bench_times(times), "flops_per_s", rate(p, times),
                     "share_of_peak", bench_share(rate(p, times), peak));
}

static json_t *product(const hone_bench_product *p, double peak) {
    return json_pack("{s:s,s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "name", p->name, "tokens", (json_int_t)p->tokens,
                     "inputs", (json_int_t)p->inputs, "outputs", (json_int_t)p->outputs, "uses",
                     (json_int_t)p->uses, "forward", pass(p, &p->forward, peak), "dx", pass(p, &p->dx, peak),
                     "dw", pass(p, &p->dw, peak));
}

/** Forward and dx of all uses together: what a LoRA step is made of. */
static double together(const hone_bench_gemm_result *r) {
    double flops = 0.0, seconds = 0.0;
    for (int64_t i = 0; i < r->count; i++) {
        const hone_bench_product *p = &r->product[i];
        const double each = 2.0 * (double)p->tokens * (double)p->inputs * (double)p->outputs;
        flops += 2.0 * each * (double)p->uses;
        seconds += (p->forward.median + p->dx.median) * (double)p->uses;
    }
    return flops / seconds;
}

static json_t *make_report(const arguments *a, const hone_bench_gemm_result *r) {
    const double peak = bench_peak(&a->bench);
    json_t *rows = json_array(), *settings = bench_settings(&a->bench);

    for (int64_t i = 0; i < r->count; i++)
        json_array_append_new(rows, product(&r->product[i], peak));
    json_object_set_new(settings, "lora_rank", json_integer(a->lora_rank));
    return json_pack("{s:s,s:f,s:o,s:o,s:o,s:o}", "bench", "gemm", "flops_per_s", together(r),
                     "share_of_peak", bench_share(together(r), peak), "peak_flops_per_s",
                     peak > 0.0 ? json_real(peak) : json_null(), "products", rows, "settings", settings);
}

static void print_pass(const json_t *row, const char *name) {
    const json_t *part = json_object_get(row, name);
    (void)printf(" %9.1f", bench_number(part, "flops_per_s") / 1e9);
    if (json_is_number(json_object_get(part, "share_of_peak")))
        (void)printf(" %5.1f %%", 100.0 * bench_number(part, "share_of_peak"));
    else
        (void)printf("       -");
}

static void print(const json_t *report) {
    const json_t *s = json_object_get(report, "settings");
    size_t i = 0;
    json_t *row = NULL;

    (void)printf("%s, %s, %.0f threads\n", bench_text(s, "device"), bench_text(s, "detail"),
                 bench_number(s, "threads"));
    (void)printf("%s, %s\n\n", bench_text(s, "model"), bench_text(s, "products"));
    if (json_is_number(json_object_get(report, "peak_flops_per_s")))
        (void)printf("on registers alone (%s): %.1f GFLOP/s\n\n", bench_text(s, "peak_isa"),
                     bench_number(report, "peak_flops_per_s") / 1e9);
    (void)printf("%6s %6s %6s %5s  %17s %17s %17s\n", "T", "I", "O", "uses", "forward GFLOP/s", "dx", "dw");
    json_array_foreach(json_object_get(report, "products"), i, row) {
        (void)printf("%6.0f %6.0f %6.0f %5.0f ", bench_number(row, "tokens"), bench_number(row, "inputs"),
                     bench_number(row, "outputs"), bench_number(row, "uses"));
        print_pass(row, "forward");
        print_pass(row, "dx");
        print_pass(row, "dw");
        (void)printf("  %s\n", bench_text(row, "name"));
    }
    (void)printf("\nforward and dx of all together: %.1f GFLOP/s", bench_number(report, "flops_per_s") / 1e9);
    if (json_is_number(json_object_get(report, "share_of_peak")))
        (void)printf(", %.1f %% of peak", 100.0 * bench_number(report, "share_of_peak"));
    (void)putchar('\n');
}

static int run(arguments *a) {
    const hone_bench_gemm_options options = {.tokens = a->tokens,
                                             .head_rows = a->head_rows,
                                             .lora_rank = a->lora_rank,
                                             .warmup = a->warmup,
                                             .runs = a->runs};
    hone_bench_gemm_result result;
    hone_model_config config;
    const int code = bench_open_config(&a->bench, &config);

    if (code != 0)
        return code;
    hone_status status = hone_bench_gemm(a->bench.device, &config, &options, &result);
    if (status == HONE_OK)
        status = bench_measure_machine(&a->bench);
    return status == HONE_OK ? bench_report(&a->bench, make_report(a, &result), print) : cli_fail(status);
}

int hone_bench_cmd_gemm(int argc, const char **argv) {
    const hone_bench_gemm_options defaults = hone_bench_gemm_defaults();
    arguments a = {.bench.verb = argv[0],
                   .lora_rank = defaults.lora_rank,
                   .warmup = defaults.warmup,
                   .runs = defaults.runs};
    struct poptOption options[] = {
        BENCH_OPTIONS(a.bench),
        {"tokens", '\0', POPT_ARG_LONGLONG, &a.tokens, 0,
         "rows T of the layers' products (0: of a step with prompt 350, completion 35)", "T"},
        {"head-rows", '\0', POPT_ARG_LONGLONG, &a.head_rows, 0,
         "rows of the head's product (0: of that step)", "U"},
        {"lora-rank", '\0', POPT_ARG_LONGLONG, &a.lora_rank, 0, "LoRA rank; 0: without its products (16)",
         "R"},
        {"warmup", '\0', POPT_ARG_LONGLONG, &a.warmup, 0, "runs before the clock starts (2)", "N"},
        {"runs", '\0', POPT_ARG_LONGLONG, &a.runs, 0, "timed runs (9)", "N"},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    bench_close(&a.bench);
    return code;
}
