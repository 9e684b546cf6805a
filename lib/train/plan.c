/* The table of memory. What hone allocates is counted from its sizes; what the process holds besides (libraries, the
 * tokenizer, the rows' tokens) is measured, since everything that makes it large is open by now. */
#include <checkpoint/checkpoint.h>
#include <core/process.h>
#include <core/status.h>
#include <string.h>
#include <tensor/tensor.h>
#include <train/options.h>
#include <train/plan.h>

enum {
    OPENING = 1 << HONE_MEMORY_OPENING,
    REFERENCE = 1 << HONE_MEMORY_REFERENCE,
    STEPS = 1 << HONE_MEMORY_STEPS,
    SAVING = 1 << HONE_MEMORY_SAVING,
    ALWAYS = OPENING | REFERENCE | STEPS | SAVING
};

/** Whether the device's buffers are this process's own memory: the backend that is part of the library. */
static bool shares_memory(const hone_device *device) {
    const char *name = hone_builtin_manifests[0]->name;
    return strncmp(hone_device_name(device), name, strlen(name)) == 0 &&
           hone_device_name(device)[strlen(name)] == ':';
}

/** What the backend took for itself when it was opened. It is not in the measured part: nothing has run yet. */
static uint64_t backend_bytes(const hone_device *device) {
    const uint64_t all = hn_device_host_bytes(device),
                   buffers = shares_memory(device) ? hone_device_bytes(device) : 0;
    return all > buffers ? all - buffers : 0;
}

/** One line, the same bytes in each of the phases; nothing is written for 0. */
static void add(hone_train_memory *memory, const char *name, bool on_device, unsigned phases,
                uint64_t bytes) {
    hone_memory_line *line = &memory->line[memory->lines];

    if (bytes == 0 || memory->lines == HONE_MEMORY_LINES)
        return;
    line->name = name;
    line->on_device = on_device;
    for (int p = 0; p < HONE_MEMORY_PHASES; p++)
        line->bytes[p] = (phases >> p & 1u) != 0 ? bytes : 0;
    memory->lines++;
}

static void add_host(hone_train_memory *memory, const char *name, unsigned phases, uint64_t bytes) {
    add(memory, name, false, phases, bytes);
}

static void add_device(hone_train_memory *memory, const char *name, unsigned phases, uint64_t bytes) {
    add(memory, name, true, phases, bytes);
}

static void add_up(hone_train_memory *memory) {
    memory->peak = 0;
    for (int p = 0; p < HONE_MEMORY_PHASES; p++) {
        memory->sum[p] = 0;
        for (int i = 0; i < memory->lines; i++)
            memory->sum[p] += memory->line[i].bytes[p];
        if (memory->sum[p] > memory->peak) {
            memory->peak = memory->sum[p];
            memory->phase = (hone_memory_phase)p;
        }
    }
}

static uint64_t largest_elements(const hn_parameters *parameters) {
    int64_t most = 0;
    for (size_t i = 0; i < parameters->count; i++) {
        const int64_t elements = hn_tensor_elements(&parameters->item[i].value);
        most = elements > most ? elements : most;
    }
    return (uint64_t)most;
}

/** Weights are copied tensor by tensor out of a mapping whose pages are then given back: what that takes beyond the
 *  weights themselves, of a file in float32. */
static uint64_t mapped_bytes(const hn_parameters *parameters) {
    uint64_t written = 0, most = 0;
    for (size_t i = 0; i < parameters->count; i++) {
        const hone_tensor *tensor = &parameters->item[i].value;
        const uint64_t mapped = (uint64_t)hn_tensor_elements(tensor) * sizeof(float);
        uint64_t span = 0;
        if (parameters->item[i].mapped)
            continue; /* stays where it is */
        (void)hn_tensor_span(tensor, &span);
        (void)hn_align(span, &span);
        written += span;
        most = written + mapped > most ? written + mapped : most;
    }
    return most > parameters->bytes ? most - parameters->bytes : 0;
}

/** Weights and what belongs to each trained one. */
static void add_weights(const hn_run_state *run, hone_train_memory *memory) {
    add_device(memory, "weights", ALWAYS, hn_model_weights(run->model)->bytes);
    if (hn_model_weights(run->model)->mapped_bytes > 0)
        add_host(memory, "weights in the mapped file", ALWAYS, hn_model_weights(run->model)->mapped_bytes);
    if (run->adapter != NULL)
        add_device(memory, "adapter", ALWAYS, run->trained->bytes);
    add_device(memory, "gradients", STEPS | SAVING, run->trained->bytes);
    add_device(memory, "moments", STEPS | SAVING, 2 * run->trained->bytes);
}

static uint64_t host_bytes(const hn_network_budget *budget, const hn_program_memory *network) {
    return (uint64_t)budget->edges * sizeof(float) + network->staging;
}

/** The reference's network over the trained model's weights, or over those of a model of its own. */
static hone_status measure_reference(const hn_run_state *run, const hn_network_budget *budget,
                                     hn_program_memory *network, uint64_t *weights) {
    const char *folder = hn_run_reference_folder(run);
    hone_model *other = NULL;
    hone_status status = HONE_OK;

    *weights = 0;
    if (folder == NULL)
        return hn_network_measure(run->model, NULL, false, budget, network);
    HN_GO(hn_model_outline(run->device, folder, HONE_WEIGHTS_AUTO, &other));
    *weights = hn_model_weights(other)->bytes;
    HN_GO(hn_network_measure(other, NULL, false, budget, network));
done:
    hone_model_destroy(other);
    return status;
}

/** The pass over all examples, or the network that runs beside the trained one at every step. */
static hone_status add_reference(const hn_run_state *run, hone_train_memory *memory) {
    const unsigned phases = run->fresh_reference ? REFERENCE | STEPS | SAVING : REFERENCE;
    hn_pack_budget budget;
    hn_program_memory network;
    uint64_t weights = 0;

    if (!hone_loss_needs_reference(&run->options->loss))
        return HONE_OK;
    HN_TRY(hn_run_reference_budget(run, &budget));
    HN_TRY(measure_reference(run, &budget.network, &network, &weights));
    add_device(memory, "reference weights", phases, weights);
    add_device(memory, "reference activations", phases, network.arena);
    add_device(memory, "reference scratch", phases, network.workspace + network.inputs);
    add_host(memory, "reference staging", phases, host_bytes(&budget.network, &network));
    if (!run->fresh_reference)
        add_host(memory, "reference log-probabilities", REFERENCE | STEPS | SAVING,
                 (uint64_t)run->examples.count * sizeof *run->reference.logp);
    return HONE_OK;
}

static hone_status add_training(const hn_run_state *run, int64_t recompute, hone_train_memory *memory) {
    hn_pack_budget budget;
    hn_program_memory network;

    HN_TRY(hn_run_training_budget(run, &budget));
    budget.network.recompute = recompute;
    HN_TRY(hn_network_measure(run->model, run->adapter, true, &budget.network, &network));
    memory->tokens = budget.network.tokens;
    memory->recomputed = recompute;
    add_device(memory, "activations", STEPS | SAVING, network.arena);
    add_device(memory, "inputs", STEPS | SAVING, network.inputs);
    add_device(memory, "scratch", STEPS | SAVING, network.workspace);
    add_host(memory, "staging", STEPS | SAVING,
             host_bytes(&budget.network, &network) +
                 2 * (uint64_t)run->examples_per_epoch * sizeof *run->order);
    return HONE_OK;
}

/** All but what recomputation changes. */
static hone_status add_fixed(const hn_run_state *run, hone_train_memory *memory) {
    const uint64_t now = hn_resident_bytes(), base = run->base_bytes,
                   largest = largest_elements(run->trained) * hone_dtype_size(run->trained->dtype),
                   copy = hn_saver_copy_bytes(run->trained);
    uint64_t held = base, compressor = 0;

    held += hn_model_weights(run->model)->mapped_bytes; /* all of it has been read, to be hashed */
    if (shares_memory(run->device))
        held += hn_model_weights(run->model)->bytes + (run->adapter != NULL ? run->trained->bytes : 0);
    HN_TRY(hn_checkpoint_writer_measure(&compressor));
    add_host(memory, "program and libraries", ALWAYS, base);
    add_host(memory, "kernels' scratch", ALWAYS, backend_bytes(run->device));
    add_host(memory, "tokenizer and data", ALWAYS, now > held ? now - held : 0);
    add_host(memory, "mapped files", OPENING, mapped_bytes(hn_model_weights(run->model)));
    add_weights(run, memory);
    /* A copy that is written beside the steps, or one tensor at a time. */
    if (copy > 0)
        add_host(memory, "copy of the state, to save it", STEPS | SAVING, copy);
    else
        add_host(memory, "largest tensor, to save it", SAVING, largest);
    /* Its buffers and tables are touched as far as what it is given reaches. */
    add_host(memory, "compressor", copy > 0 ? STEPS | SAVING : SAVING,
             compressor < 4 * largest ? compressor : 4 * largest);
    return add_reference(run, memory);
}

/** What the limit is about: the process, or the device's own memory. */
static uint64_t limited_bytes(const hn_run_state *run, const hone_train_memory *memory, bool activations) {
    const bool all = shares_memory(run->device);
    uint64_t most = 0;

    for (int p = 0; p < HONE_MEMORY_PHASES; p++) {
        uint64_t sum = 0;
        for (int i = 0; i < memory->lines; i++)
            if ((all || memory->line[i].on_device) &&
                (activations || strstr(memory->line[i].name, "activations") == NULL))
                sum += memory->line[i].bytes[p];
        most = sum > most ? sum : most;
    }
    return most;
}

/** What is free and what the process has already. Of a device with memory of its own it is not known. */
static hone_status find_limit(const hn_run_state *run, uint64_t *limit) {
    HN_TRY(hn_limit_parse(run->options->memory_limit, limit));
    if (*limit != HN_LIMIT_AUTO)
        return HONE_OK;
    const uint64_t free = shares_memory(run->device) ? hn_available_bytes() : 0;
    *limit = free > 0 ? free + hn_resident_bytes() : 0;
    return HONE_OK;
}

static const char *smaller_model(const hn_run_state *run) {
    return run->options->full ? "train an adapter instead of --full, or a smaller model"
                              : "keep the base in --base-dtype q8, or lower --lora-rank";
}

static hone_status can_not_fit(const hn_run_state *run, const hone_train_memory *memory) {
    const uint64_t need = limited_bytes(run, memory, true), without = limited_bytes(run, memory, false);

    if (without >= memory->limit)
        return hn_fail(HONE_ERROR_MEMORY,
                       "this run needs %.1f MB, %.1f MB even without activations, and --memory-limit is %.1f "
                       "MB: %s",
                       (double)need / 1e6, (double)without / 1e6, (double)memory->limit / 1e6,
                       smaller_model(run));
    return hn_fail(HONE_ERROR_MEMORY,
                   "this run needs %.1f MB with all %lld layers recomputed, and --memory-limit is %.1f MB: "
                   "lower --pack-tokens (the largest pack has %lld tokens), --batch-pairs or --max-length%s",
                   (double)need / 1e6, (long long)memory->layers, (double)memory->limit / 1e6,
                   (long long)memory->tokens, run->options->full ? "" : ", or use --base-dtype q8");
}

hone_status hn_run_check_weights(const hn_run_state *run, hone_weights weights) {
    hone_model *model = NULL;
    uint64_t limit = 0;

    HN_TRY(find_limit(run, &limit));
    if (limit == 0)
        return HONE_OK;
    HN_TRY(hn_model_outline(run->device, run->options->model, weights, &model));
    const uint64_t need = hn_model_weights(model)->bytes + (shares_memory(run->device) ? run->base_bytes : 0);
    hone_model_destroy(model);
    if (need <= limit)
        return HONE_OK;
    return hn_fail(HONE_ERROR_MEMORY, "the weights alone need %.1f MB, and --memory-limit is %.1f MB: %s",
                   (double)need / 1e6, (double)limit / 1e6, smaller_model(run));
}

hone_status hn_run_plan(hn_run_state *run, hone_train_memory *memory) {
    hone_train_memory fixed = {.layers = hone_model_configuration(run->model)->layers};

    memset(memory, 0, sizeof *memory);
    HN_TRY(find_limit(run, &fixed.limit));
    HN_TRY(add_fixed(run, &fixed));
    for (int64_t recompute = 0; recompute <= fixed.layers; recompute++) {
        *memory = fixed;
        HN_TRY(add_training(run, recompute, memory));
        add_up(memory);
        run->recompute = recompute;
        if (memory->limit == 0 || limited_bytes(run, memory, true) <= memory->limit)
            return HONE_OK;
    }
    return can_not_fit(run, memory);
}

hone_status hone_train_plan(const hone_train_options *options, hone_train_memory *memory) {
    static const hone_train_observer silent = {0};
    hn_run_state run;

    memset(memory, 0, sizeof *memory);
    HN_TRY(hn_run_prepare(options, &silent, &run));
    const hone_status status = hn_run_plan(&run, memory);
    hn_run_close(&run);
    return status;
}
