/* The table of memory. What hone allocates is counted from its sizes; what the process holds besides (libraries, the
 * tokenizer, the rows' tokens) is measured, since everything that makes it large is open by now. */
#include <checkpoint/checkpoint.h>
#include <core/process.h>
#include <core/status.h>
#include <string.h>
#include <tensor/tensor.h>
#include <train/plan.h>

enum {
    OPENING = 1 << HONE_MEMORY_OPENING,
    REFERENCE = 1 << HONE_MEMORY_REFERENCE,
    STEPS = 1 << HONE_MEMORY_STEPS,
    SAVING = 1 << HONE_MEMORY_SAVING,
    ALWAYS = OPENING | REFERENCE | STEPS | SAVING
};

/** One line, the same bytes in each of the phases; nothing is written for 0. */
static void add(hone_train_memory *memory, const char *name, unsigned phases, uint64_t bytes) {
    hone_memory_line *line = &memory->line[memory->lines];

    if (bytes == 0 || memory->lines == HONE_MEMORY_LINES)
        return;
    line->name = name;
    for (int p = 0; p < HONE_MEMORY_PHASES; p++)
        line->bytes[p] = (phases >> p & 1u) != 0 ? bytes : 0;
    memory->lines++;
}

static void add_up(hone_train_memory *memory) {
    for (int p = 0; p < HONE_MEMORY_PHASES; p++) {
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

/** Weights and what belongs to each trained one. */
static void add_weights(const hn_run_state *run, hone_train_memory *memory) {
    const hn_parameters *base = hn_model_weights(run->model);

    add(memory, "weights", ALWAYS, base->bytes);
    if (run->adapter != NULL)
        add(memory, "adapter", ALWAYS, run->trained->bytes);
    add(memory, "gradients", STEPS | SAVING, run->trained->bytes);
    add(memory, "moments", STEPS | SAVING, 2 * run->trained->bytes);
}

static uint64_t host_bytes(const hn_network_budget *budget, const hn_program_memory *network) {
    return (uint64_t)budget->edges * sizeof(float) + network->staging;
}

/** The pass over all examples, or the network that runs beside the trained one at every step. */
static hone_status add_reference(const hn_run_state *run, hone_train_memory *memory) {
    const bool other = run->options->reference != NULL || (run->fresh_reference && run->options->full);
    const unsigned phases = run->fresh_reference ? REFERENCE | STEPS | SAVING : REFERENCE;
    hn_network_budget budget;
    hn_program_memory network;

    if (!hone_loss_needs_reference(&run->options->loss))
        return HONE_OK;
    HN_TRY(hn_run_reference_budget(run, &budget));
    HN_TRY(hn_network_measure(run->model, NULL, false, &budget, &network));
    if (other)
        add(memory, "reference weights", phases, hn_model_weights(run->model)->bytes);
    add(memory, "reference activations", phases, network.arena);
    add(memory, "reference scratch", phases,
        network.workspace + network.inputs + host_bytes(&budget, &network));
    if (!run->fresh_reference)
        add(memory, "reference log-probabilities", REFERENCE | STEPS | SAVING,
            (uint64_t)run->examples.count * sizeof *run->reference.logp);
    return HONE_OK;
}

static hone_status add_training(const hn_run_state *run, hone_train_memory *memory) {
    hn_network_budget budget;
    hn_program_memory network;

    HN_TRY(hn_run_training_budget(run, &budget));
    HN_TRY(hn_network_measure(run->model, run->adapter, true, &budget, &network));
    memory->tokens = budget.tokens;
    add(memory, "activations", STEPS | SAVING, network.arena);
    add(memory, "inputs", STEPS | SAVING, network.inputs);
    add(memory, "scratch", STEPS | SAVING, network.workspace);
    add(memory, "staging", STEPS | SAVING,
        host_bytes(&budget, &network) + (uint64_t)run->examples.count * sizeof *run->order);
    return HONE_OK;
}

hone_status hn_run_plan(hn_run_state *run, hone_train_memory *memory) {
    const uint64_t now = hn_resident_bytes(), base = run->base_bytes;
    const uint64_t held =
        base + hn_model_weights(run->model)->bytes + (run->adapter != NULL ? run->trained->bytes : 0);
    uint64_t compressor = 0;

    memset(memory, 0, sizeof *memory);
    add(memory, "program and libraries", ALWAYS, base);
    add(memory, "tokenizer and data", ALWAYS, now > held ? now - held : 0);
    /* Tensor by tensor: the file's pages, and a copy where they are not aligned. */
    add(memory, "mapped files", OPENING, 2 * largest_elements(hn_model_weights(run->model)) * sizeof(float));
    add_weights(run, memory);
    HN_TRY(add_reference(run, memory));
    HN_TRY(add_training(run, memory));
    HN_TRY(hn_checkpoint_writer_measure(&compressor));
    add(memory, "largest tensor, to save it", SAVING,
        largest_elements(run->trained) * hone_dtype_size(run->trained->dtype));
    add(memory, "compressor", SAVING, compressor);
    add_up(memory);
    return HONE_OK;
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
