/** Every method's loss, derivatives, gradients and twenty AdamW steps against PyTorch in float64: hone in float32 on
 *  the built-in device, and in float64 on the oracle where its module is there. */
#include "support.h"

#include <core/memory.h>
#include <dirent.h>
#include <math.h>
#include <model/safetensors.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <train/batch.h>
#include <train/optimizer.h>

#define CONDITIONALS HONE_CONDITIONAL_COUNT
#define PACK_TOKENS 2048

/** Relative differences: the worst seen, or the most allowed. A pair's loss is relative to the batch's where that is
 *  larger, a derivative to the batch's largest. Gradients and final values by 2-norms, per tensor; tensors with less
 *  than 1/1000 of the whole relative to that. Step losses are relative to themselves. */
typedef struct tolerance {
    double logp, loss, derivative, gradient, norm, step_loss, step_norm, final;
} tolerance;

/* The losses and norms of steps may be off by HINT times the distance of torch's own float32 run from its float64 one,
 * where that is more: SRPO's squared terms have nearly vanished by the last steps, and what is left of the loss is then the
 * square of a difference of large sums. */
#define HINT 10.0
static const tolerance single = {1e-5, 1e-5, 1e-5, 1e-4, 1e-4, 1e-4, 1e-3, 1e-4};
/* The tensors are stored in float32. */
static const tolerance exact = {1e-13, 1e-11, 1e-11, 2e-7, 1e-11, 1e-9, 1e-9, 2e-7};

typedef struct bench {
    hone_device *device;
    hone_dtype dtype;
    const char *name; /**< of the model */
    tolerance most, worst;
    hone_tokenizer *tokenizer;
    hone_template *form;
    json_t *batch;
    int failures;
    char label[512]; /**< of what is compared now */
} bench;

static void compare(bench *b, const char *what, double found, double most, double *worst) {
    *worst = fmax(*worst, found);
    if (!(found <= most)) {
        print_error("%s: %s differs by %.3g, more than %.3g\n", b->label, what, found, most);
        b->failures++;
    }
}

static void bench_open(bench *b, const char *device, hone_dtype dtype, const char *name) {
    memset(b, 0, sizeof *b);
    b->dtype = dtype;
    b->name = name;
    b->most = dtype == HONE_F64 ? exact : single;
    if (device == NULL)
        REQUIRE(hone_device_open(NULL, NULL, &b->device));
    else
        b->device = golden_device(device);
    if (b->device == NULL)
        skip();
    REQUIRE(hone_tokenizer_open(golden_path("models/%s", name), &b->tokenizer));
    REQUIRE(hone_template_open("plain", b->tokenizer, &b->form));
    b->batch = golden_json(golden_path("methods/%s/batch.json", name));
}

static void bench_close(bench *b) {
    const int failures = b->failures;

    json_decref(b->batch);
    hone_template_destroy(b->form);
    hone_tokenizer_destroy(b->tokenizer);
    hone_device_close(b->device);
    assert_int_equal(failures, 0);
}

static const json_t *pair_of(const bench *b, int64_t i) {
    return json_array_get(golden_member(b->batch, "pairs"), (size_t)i);
}

/** A model or its reference, with the adapter when `adapter` is not NULL. */
static hone_model *open_model(const bench *b, const char *folder, hone_adapter **adapter) {
    hone_model *model = NULL;

    REQUIRE(hn_model_open_as(b->device, golden_path("%s", golden_string(b->batch, folder)), b->dtype,
                             b->dtype, &model));
    if (adapter != NULL)
        REQUIRE(hone_adapter_open(model, golden_path("%s", golden_string(b->batch, "adapter")), adapter));
    return model;
}

static void open_examples(const bench *b, const char *rows, const hone_loss_options *loss,
                          hn_examples *examples) {
    hn_mixture mixture;

    REQUIRE(hn_mixture_parse(golden_path("methods/%s/%s", b->name, rows), &mixture));
    const hn_example_source source = {
        .mixture = &mixture, .form = b->form, .tokenizer = b->tokenizer, .loss = loss, .max_length = 512};
    REQUIRE(hn_examples_create(&source, examples));
    hn_mixture_clear(&mixture);
    assert_int_equal(examples->count, json_array_size(golden_member(b->batch, "pairs")));
    assert_int_equal(examples->cut + examples->dropped, 0);
}

/** All examples of a file as one pack, a network, and room for their numbers. */
typedef struct work {
    hn_network *network;
    hn_batch batch;
    int64_t *index;
    float *edge;
    double *edge64;
    double (*logp)[CONDITIONALS];
} work;

static void work_open(work *w, const hn_examples *examples) {
    memset(w, 0, sizeof *w);
    REQUIRE(hn_alloc(&w->index, (size_t)examples->count, sizeof *w->index, "index"));
    for (int64_t i = 0; i < examples->count; i++)
        w->index[i] = i;
    REQUIRE(hn_batch_create(examples, w->index, examples->count, HONE_PACK_TRIE, &w->batch));
    assert_true(w->batch.pack->tokens <= PACK_TOKENS);
    REQUIRE(hn_alloc(&w->edge, (size_t)w->batch.pack->edges, sizeof *w->edge, "edges"));
    REQUIRE(hn_alloc(&w->edge64, (size_t)w->batch.pack->edges, sizeof *w->edge64, "edges"));
    REQUIRE(hn_alloc(&w->logp, (size_t)examples->count, sizeof *w->logp, "log-probabilities"));
}

static void work_network(work *w, hone_model *model, hone_adapter *adapter, bool training) {
    const hn_network_budget budget = hn_network_budget_for(PACK_TOKENS);

    hn_network_destroy(w->network);
    w->network = NULL;
    REQUIRE(hn_network_create(model, adapter, training, 0, &budget, &w->network));
}

static void work_close(work *w) {
    hn_network_destroy(w->network);
    hn_batch_clear(&w->batch);
    hn_free(w->index);
    hn_free(w->edge);
    hn_free(w->edge64);
    hn_free(w->logp);
}

/** The policy's sums, into w->logp. */
static void forward(const bench *b, work *w, int64_t step) {
    const hone_pack *pack = w->batch.pack;
    int64_t s = 0;

    if (b->dtype != HONE_F64) {
        REQUIRE(hn_batch_score(&w->batch, w->network, (uint32_t)step, w->edge, w->logp));
        return;
    }
    REQUIRE(hn_network_forward_f64(w->network, pack, (uint32_t)step, w->edge64));
    for (int64_t i = 0; i < w->batch.count; i++)
        for (int c = 0; c < CONDITIONALS; c++) {
            w->logp[i][c] = 0.0;
            if ((w->batch.mask >> c & 1u) == 0)
                continue;
            for (int64_t k = pack->sequence_begin[s]; k < pack->sequence_begin[s + 1]; k++)
                w->logp[i][c] += w->edge64[pack->sequence_edge[k]];
            s++;
        }
}

static void backward(const bench *b, work *w, const double (*derivative)[CONDITIONALS]) {
    const hone_pack *pack = w->batch.pack;
    int64_t s = 0;

    if (b->dtype != HONE_F64) {
        REQUIRE(hn_batch_backward(&w->batch, w->network, w->edge, derivative, false));
        return;
    }
    memset(w->edge64, 0, (size_t)pack->edges * sizeof *w->edge64);
    for (int64_t i = 0; i < w->batch.count; i++)
        for (int c = 0; c < CONDITIONALS; c++) {
            if ((w->batch.mask >> c & 1u) == 0)
                continue;
            for (int64_t k = pack->sequence_begin[s]; k < pack->sequence_begin[s + 1]; k++)
                w->edge64[pack->sequence_edge[k]] += derivative[i][c];
            s++;
        }
    REQUIRE(hn_network_backward_f64(w->network, w->edge64, false));
}

/* ---- ids and sums of log-probabilities ---- */

static void check_ids(const bench *b, const hn_examples *examples) {
    for (int64_t i = 0; i < examples->count; i++) {
        const json_t *pair = pair_of(b, i), *ids = golden_member(pair, "ids");
        const hn_example *example = &examples->item[i];
        const json_t *tokens = golden_member(pair, "tokens");
        hone_sequence sequence[HONE_CONDITIONAL_COUNT];

        assert_int_equal(hn_example_sequences(examples, i, sequence), CONDITIONALS);
        assert_true(example->tokens[0] == (int64_t)golden_real(tokens, "w"));
        assert_true(example->tokens[1] == (int64_t)golden_real(tokens, "l"));
        for (int c = 0; c < CONDITIONALS; c++) {
            const char *name = hone_conditional_name((hone_conditional)c);
            const json_t *wanted = golden_member(ids, name);
            const hone_sequence *found = &sequence[c];

            if (!golden_same_ids(golden_member(wanted, "context"), found->context, found->context_length) ||
                !golden_same_ids(golden_member(wanted, "completion"), found->completion,
                                 found->completion_length))
                fail_msg("%s, pair %lld, %s: other ids", b->name, (long long)i, name);
        }
    }
}

static void check_sums(bench *b, work *w, const char *whose, double *worst) {
    forward(b, w, 0);
    for (int64_t i = 0; i < w->batch.count; i++)
        for (int c = 0; c < CONDITIONALS; c++) {
            const char *name = hone_conditional_name((hone_conditional)c);
            const double wanted = golden_real(golden_member(pair_of(b, i), whose), name);

            snprintf(b->label, sizeof b->label, "%s %s pair %lld", b->name, whose, (long long)i);
            compare(b, name, golden_relative(w->logp[i][c], wanted), b->most.logp, worst);
        }
}

static void sums(const char *device, hone_dtype dtype, const char *name) {
    const hone_loss_options loss = hone_loss_defaults(HONE_SRPO); /* reads all six */
    hone_model *model = NULL, *reference = NULL;
    hone_adapter *adapter = NULL;
    hn_examples examples = {0};
    double worst = 0.0;
    work w;
    bench b;

    bench_open(&b, device, dtype, name);
    open_examples(&b, "rows.jsonl", &loss, &examples);
    assert_int_equal(examples.mask, 63);
    check_ids(&b, &examples);
    model = open_model(&b, "model", &adapter);
    reference = open_model(&b, "reference", NULL);
    work_open(&w, &examples);
    work_network(&w, model, NULL, false);
    check_sums(&b, &w, "policy", &worst);
    work_network(&w, model, adapter, false);
    check_sums(&b, &w, "adapter", &worst);
    work_network(&w, reference, NULL, false);
    check_sums(&b, &w, "reference", &worst);
    print_message("%s, %s: worst relative difference of a sum %.3g\n", name, hone_device_name(b.device),
                  worst);
    work_close(&w);
    hn_examples_clear(&examples);
    hone_adapter_destroy(adapter);
    hone_model_destroy(reference);
    hone_model_destroy(model);
    bench_close(&b);
}

/* ---- losses, gradients, steps ---- */

static hone_loss_options options_of(const json_t *document) {
    const json_t *given = golden_member(document, "options");
    hone_loss_options loss = {0};

    REQUIRE(hone_method_parse(golden_string(document, "method"), &loss.method));
    REQUIRE(hn_json_real_or(given, "beta", "options", 0.0, &loss.beta));
    REQUIRE(hn_json_real_or(given, "alpha", "options", 0.0, &loss.alpha));
    REQUIRE(hn_json_real_or(given, "gamma", "options", 0.0, &loss.gamma));
    REQUIRE(hn_json_real_or(given, "rpo_lambda", "options", 0.0, &loss.rpo_lambda));
    REQUIRE(hn_json_real_or(given, "label_smoothing", "options", 0.0, &loss.label_smoothing));
    REQUIRE(hn_json_boolean_or(given, "length_normalize", "options", false, &loss.length_normalize));
    REQUIRE(hn_json_boolean_or(given, "ipo_sums", "options", false, &loss.ipo_sums));
    REQUIRE(hone_loss_check(&loss));
    return loss;
}

typedef struct evaluated {
    double loss, divisor;
    double *pair, (*derivative)[CONDITIONALS]; /**< derivative of the batch's loss */
} evaluated;

/** The batch's loss from w->logp and the fixture's reference numbers. */
static void evaluate(const bench *b, const work *w, const hn_examples *examples,
                     const hone_loss_options *loss, const char *reference, evaluated *e) {
    e->loss = e->divisor = 0.0;
    for (int64_t i = 0; i < examples->count; i++)
        e->divisor += loss->method == HONE_SFT ? (double)examples->item[i].tokens[0] : 1.0;
    for (int64_t i = 0; i < examples->count; i++) {
        const hn_example *example = &examples->item[i];
        const json_t *given = golden_member(pair_of(b, i), reference);
        hone_pair_logps logps = {.tokens = {example->tokens[0], example->tokens[1]},
                                 .preference = example->preference};
        hone_loss_value value;

        memcpy(logps.policy, w->logp[i], sizeof logps.policy);
        for (int c = 0; c < CONDITIONALS; c++)
            logps.reference[c] = golden_real(given, hone_conditional_name((hone_conditional)c));
        REQUIRE(hone_loss_evaluate(loss, &logps, &value));
        e->pair[i] = value.loss;
        e->loss += value.loss / e->divisor;
        for (int c = 0; c < CONDITIONALS; c++)
            e->derivative[i][c] = value.derivative[c] / e->divisor;
    }
}

static void check_loss(bench *b, const json_t *run, const evaluated *e, int64_t pairs) {
    const json_t *losses = golden_member(run, "pair_loss"),
                 *derivatives = golden_member(run, "pair_derivative");
    double largest = 0.0, apart = 0.0;

    compare(b, "loss", golden_relative(e->loss, golden_real(run, "loss")), b->most.loss, &b->worst.loss);
    for (int64_t i = 0; i < pairs; i++) {
        const json_t *wanted = json_array_get(derivatives, (size_t)i);

        const double x = json_number_value(json_array_get(losses, (size_t)i));
        compare(b, "a pair's loss", fabs(e->pair[i] - x) / fmax(fabs(x), golden_real(run, "loss")),
                b->most.loss, &b->worst.loss);
        for (int c = 0; c < CONDITIONALS; c++) {
            const json_t *given = json_object_get(wanted, hone_conditional_name((hone_conditional)c));
            const double slope = given != NULL ? json_number_value(given) : 0.0;

            largest = fmax(largest, fabs(slope));
            apart = fmax(apart, fabs(e->derivative[i][c] * e->divisor - slope));
        }
    }
    compare(b, "a derivative by a log-probability", apart / largest, b->most.derivative,
            &b->worst.derivative);
}

/** Each parameter's gradient, or value, against RUN.PART.PARAMETER; false when the file has none. */
static bool check_tensors(bench *b, const hn_parameters *parameters, const hn_safetensors *file,
                          const char *run, const char *part, double most, double *worst) {
    double whole = 0.0;
    bool any = false;

    for (int pass = 0; pass < 2; pass++)
        for (size_t p = 0; p < parameters->count; p++) {
            const hn_parameter *parameter = &parameters->item[p];
            const bool gradient = strcmp(part, "grad") == 0;
            char name[256];
            double square = 0.0, apart = 0.0, *found = NULL;

            snprintf(name, sizeof name, "%s.%s.%s", run, part, parameter->name);
            const hn_safetensor *tensor = hn_safetensors_find(file, name);
            if (tensor == NULL && !any)
                return false;
            if (tensor == NULL)
                fail_msg("%s: no tensor %s", b->label, name);
            any = true;
            assert_int_equal(tensor->dtype, HONE_F32);
            const size_t count = tensor->bytes / sizeof(float);
            REQUIRE(hn_alloc(&found, count, sizeof *found, "values"));
            REQUIRE(hn_parameter_read(parameters, gradient ? &parameter->gradient : &parameter->value,
                                      HONE_F64, found));
            for (size_t i = 0; i < count; i++) {
                float wanted;
                memcpy(&wanted, tensor->data + i * sizeof wanted, sizeof wanted);
                square += (double)wanted * (double)wanted;
                apart += (found[i] - (double)wanted) * (found[i] - (double)wanted);
            }
            hn_free(found);
            if (pass == 0)
                whole += square;
            else
                compare(b, name, sqrt(apart) / fmax(sqrt(square), 1e-3 * sqrt(whole)), most, worst);
        }
    return any;
}

static double item(const json_t *run, const char *key, int64_t i) {
    const json_t *list = golden_member(run, key);

    assert_true((size_t)i < json_array_size(list));
    return json_number_value(json_array_get(list, (size_t)i));
}

static void replay(bench *b, const json_t *document, const hn_safetensors *tensors, const char *name,
                   const json_t *run) {
    const hone_loss_options loss = options_of(document);
    const hn_optimizer_options adamw = {0.9, 0.999, 1e-8, 0.01, 1.0};
    const bool lora = strcmp(name, "lora") == 0, full = strcmp(name, "full") == 0;
    const json_t *hint = golden_member(run, "float32");
    const int64_t steps = (int64_t)json_array_size(golden_member(run, "step_loss"));
    hone_adapter *adapter = NULL;
    hone_model *model = open_model(b, "model", lora ? &adapter : NULL);
    hn_parameters *trained = lora ? hn_adapter_weights(adapter) : hn_model_weights(model);
    hn_optimizer *optimizer = NULL;
    hn_examples examples = {0};
    evaluated e = {0};
    double norm = 0.0;
    work w;

    open_examples(b, golden_string(document, "rows"), &loss, &examples);
    work_open(&w, &examples);
    REQUIRE(hn_alloc(&e.pair, (size_t)examples.count, sizeof *e.pair, "losses"));
    REQUIRE(hn_alloc(&e.derivative, (size_t)examples.count, sizeof *e.derivative, "derivatives"));
    REQUIRE(hn_parameters_make_trainable(trained));
    REQUIRE(hn_optimizer_create(trained, &adamw, &optimizer));
    work_network(&w, model, adapter, true);
    assert_int_equal(steps, 20);
    for (int64_t step = 1; step <= steps; step++) {
        forward(b, &w, step);
        evaluate(b, &w, &examples, &loss, full ? "reference" : "policy", &e);
        backward(b, &w, (const double(*)[CONDITIONALS])e.derivative);
        if (step == 1) {
            check_loss(b, run, &e, examples.count);
            const bool there =
                check_tensors(b, trained, tensors, name, "grad", b->most.gradient, &b->worst.gradient);
            assert_true(there || (!full && !lora));
        }
        REQUIRE(hn_optimizer_step(optimizer, step, 1e-3, &norm));
        const double wanted = item(run, "step_loss", step - 1);
        const double torch = HINT * golden_real(hint, "step_loss") * golden_real(run, "loss") / fabs(wanted);
        compare(b, "the loss of a step", golden_relative(e.loss, wanted),
                b->dtype == HONE_F64 ? b->most.step_loss : fmax(b->most.step_loss, torch),
                &b->worst.step_loss);
        if (step == 1)
            compare(b, "the gradient's norm", golden_relative(norm, golden_real(run, "gradient_norm")),
                    b->most.norm, &b->worst.norm);
        compare(b, "the gradient's norm of a step",
                golden_relative(norm, item(run, "step_gradient_norm", step - 1)),
                b->dtype == HONE_F64 ? b->most.step_norm : fmax(b->most.step_norm, torch),
                &b->worst.step_norm);
    }
    check_tensors(b, trained, tensors, name, "final", b->most.final, &b->worst.final);
    hn_optimizer_destroy(optimizer);
    hn_free(e.pair);
    hn_free(e.derivative);
    work_close(&w);
    hn_examples_clear(&examples);
    hone_adapter_destroy(adapter);
    hone_model_destroy(model);
}

static int is_case(const struct dirent *entry) {
    const char *end = strrchr(entry->d_name, '.');

    return end != NULL && strcmp(end, ".json") == 0 && strcmp(entry->d_name, "batch.json") != 0;
}

static void methods(const char *device, hone_dtype dtype, const char *name) {
    struct dirent **entries = NULL;
    int runs = 0;
    bench b;

    bench_open(&b, device, dtype, name);
    const int count = scandir(golden_path("methods/%s", name), &entries, is_case, alphasort);
    assert_true(count >= HONE_METHOD_COUNT);
    for (int i = 0; i < count; i++) {
        json_t *document = golden_json(golden_path("methods/%s/%s", name, entries[i]->d_name));
        hn_safetensors *tensors = NULL;
        const char *run = NULL;
        json_t *value = NULL;

        REQUIRE(hn_safetensors_open(golden_path("%s", golden_string(document, "tensors")), &tensors));
        json_object_foreach(json_object_get(document, "runs"), run, value) {
            snprintf(b.label, sizeof b.label, "%s %s %s", name, entries[i]->d_name, run);
            replay(&b, document, tensors, run, value);
            runs++;
        }
        hn_safetensors_destroy(tensors);
        json_decref(document);
        free(entries[i]);
    }
    free(entries);
    print_message(
        "%s, %s: %d runs of %d cases; worst relative differences: loss %.2g, derivative %.2g, gradient "
        "%.2g, its norm %.2g, loss of a step %.2g, norm of a step %.2g, final %.2g\n",
        name, hone_device_name(b.device), runs, count, b.worst.loss, b.worst.derivative, b.worst.gradient,
        b.worst.norm, b.worst.step_loss, b.worst.step_norm, b.worst.final);
    bench_close(&b);
}

#define BOTH(function)                                                                                       \
    static void function##_tied(void **state) {                                                              \
        (void)state;                                                                                         \
        function(NULL, HONE_F32, "tied");                                                                    \
    }                                                                                                        \
    static void function##_untied(void **state) {                                                            \
        (void)state;                                                                                         \
        function(NULL, HONE_F32, "untied");                                                                  \
    }                                                                                                        \
    static void function##_tied_float64(void **state) {                                                      \
        (void)state;                                                                                         \
        function("oracle", HONE_F64, "tied");                                                                \
    }                                                                                                        \
    static void function##_untied_float64(void **state) {                                                    \
        (void)state;                                                                                         \
        function("oracle", HONE_F64, "untied");                                                              \
    }

BOTH(sums)
BOTH(methods)

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_tied),
                                       cmocka_unit_test(sums_untied),
                                       cmocka_unit_test(sums_tied_float64),
                                       cmocka_unit_test(sums_untied_float64),
                                       cmocka_unit_test(methods_tied),
                                       cmocka_unit_test(methods_untied),
                                       cmocka_unit_test(methods_tied_float64),
                                       cmocka_unit_test(methods_untied_float64)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
