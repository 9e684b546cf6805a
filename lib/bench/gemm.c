#include <bench/linear.h>
#include <bench/pairs.h>
#include <bench/times.h>
#include <core/memory.h>
#include <core/status.h>
#include <model/model.h>
#include <stdio.h>
#include <string.h>

hone_bench_gemm_options hone_bench_gemm_defaults(void) {
    return (hone_bench_gemm_options){.lora_rank = 16, .warmup = 2, .runs = 9};
}

/** Rows of a step's pack, where none are given. */
static hone_status fill_rows(hone_bench_gemm_options *options) {
    const hone_bench_step_options step = hone_bench_step_defaults();
    hone_sequence sequence[HONE_CONDITIONAL_COUNT];
    hn_examples pairs;
    hone_pack *pack = NULL;
    hone_status status = HONE_OK;

    HN_TRY(hn_pairs_create(&step, 1 << 16, &pairs));
    const int64_t count = hn_example_sequences(&pairs, 0, sequence);
    HN_GO(hone_pack_create(sequence, count, step.layout, &pack));
    options->tokens = options->tokens > 0 ? options->tokens : pack->tokens;
    options->head_rows = options->head_rows > 0 ? options->head_rows : pack->rows;
done:
    hone_pack_destroy(pack);
    hn_examples_clear(&pairs);
    return status;
}

static hone_status check(const hone_bench_gemm_options *options) {
    enum { MOST = 1 << 20 };
    if (options->tokens < 0 || options->tokens > MOST || options->head_rows < 0 || options->head_rows > MOST)
        return hn_fail(HONE_ERROR_ARGUMENT, "%lld tokens, %lld rows of the head: each takes 1 to %d, or 0",
                       (long long)options->tokens, (long long)options->head_rows, MOST);
    if (options->lora_rank < 0 || options->lora_rank > MOST)
        return hn_fail(HONE_ERROR_ARGUMENT, "LoRA rank %lld: it takes 0 to %d", (long long)options->lora_rank,
                       MOST);
    return hn_bench_check_runs(options->warmup, options->runs);
}

/** Adds a linear to the list; equal shapes are one entry. */
static void add(hone_bench_gemm_result *result, const char *name, int64_t tokens, int64_t inputs,
                int64_t outputs, int64_t uses) {
    hone_bench_product *p = result->product;
    const hone_bench_product *end = p + result->count;

    while (p < end && (p->tokens != tokens || p->inputs != inputs || p->outputs != outputs))
        p++;
    if (p == end) {
        if (result->count == HONE_BENCH_PRODUCTS)
            return;
        result->count++;
        p->tokens = tokens;
        p->inputs = inputs;
        p->outputs = outputs;
    }
    p->uses += uses;
    const size_t length = strlen(p->name);
    (void)snprintf(p->name + length, sizeof p->name - length, "%s%s", length > 0 ? "," : "", name);
}

static void list(const hone_model_config *config, const hone_bench_gemm_options *options,
                 hone_bench_gemm_result *result) {
    for (hn_linear l = HN_Q; l < HN_LINEAR_COUNT; l++)
        add(result, hn_linear_name(l), options->tokens, hn_linear_inputs(config, l),
            hn_linear_outputs(config, l), config->layers);
    if (options->lora_rank > 0) {
        add(result, "q_proj.lora_A", options->tokens, config->width, options->lora_rank, config->layers);
        add(result, "v_proj.lora_A", options->tokens, config->width, options->lora_rank, config->layers);
        add(result, "q_proj.lora_B", options->tokens, options->lora_rank, hn_linear_outputs(config, HN_Q),
            config->layers);
        add(result, "v_proj.lora_B", options->tokens, options->lora_rank, hn_linear_outputs(config, HN_V),
            config->layers);
    }
    add(result, "head", options->head_rows, config->width, config->vocabulary, 1);
}

/** One program at a time: the products take turns through the runs, but not through the memory of large models. */
static hone_status measure(hone_device *device, const hone_bench_gemm_options *options, hone_bench_product *p,
                           bool weight, double *seconds) {
    double *forward = seconds, *backward = seconds + options->runs, ignored = 0.0;
    hn_linear_bench *bench = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_linear_bench_create(device, p->tokens, p->inputs, p->outputs, weight, &bench));
    for (int64_t i = 0; i < options->warmup; i++)
        HN_GO(hn_linear_bench_run(bench, &ignored, &ignored));
    for (int64_t i = 0; i < options->runs; i++)
        HN_GO(hn_linear_bench_run(bench, &forward[i], &backward[i]));
    if (!weight)
        p->forward = hn_times_of(forward, options->runs);
    *(weight ? &p->dw : &p->dx) = hn_times_of(backward, options->runs);
done:
    hn_linear_bench_destroy(bench);
    return status;
}

hone_status hone_bench_gemm(hone_device *device, const hone_model_config *config,
                            const hone_bench_gemm_options *given, hone_bench_gemm_result *result) {
    hone_bench_gemm_options options = *given;
    double *seconds = NULL;
    hone_status status = HONE_OK;

    memset(result, 0, sizeof *result);
    HN_GO(hone_model_config_check(config));
    HN_GO(check(&options));
    HN_GO(fill_rows(&options));
    HN_GO(hn_alloc(&seconds, (size_t)(2 * options.runs), sizeof *seconds, "times"));
    result->dtype = hn_device_compute(device);
    list(config, &options, result);
    for (int64_t i = 0; i < result->count; i++) {
        HN_GO(measure(device, &options, &result->product[i], false, seconds));
        HN_GO(measure(device, &options, &result->product[i], true, seconds));
    }
done:
    hn_free(seconds);
    return status;
}
