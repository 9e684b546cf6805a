#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <model/builder.h>
#include <model/network.h>
#include <string.h>

struct hn_network {
    hn_program *program;
    hn_network_budget budget;
    hn_value token, position, segment, range, row, begin, target, logp;
    int64_t vocabulary, max_positions;
};

hn_network_budget hn_network_budget_for(int64_t tokens) {
    const int64_t ranges = 4 * tokens > 64 ? 4 * tokens : 64;
    return (hn_network_budget){
        .tokens = tokens, .segments = tokens, .ranges = ranges, .rows = tokens, .edges = 2 * tokens};
}

bool hn_network_fits(const hn_network_budget *budget, const hone_pack *pack) {
    return pack->tokens <= budget->tokens && pack->segments <= budget->segments &&
           pack->ranges <= budget->ranges && pack->rows <= budget->rows && pack->edges <= budget->edges;
}

static hone_status record(hn_network *network, hn_builder *builder) {
    hn_program *p = network->program;
    const hn_extent t[1] = {hn_symbolic(HN_T)}, u[1] = {hn_symbolic(HN_U)}, u1[1] = {{HN_U, 1}},
                    e[1] = {hn_symbolic(HN_E)};
    const hn_extent s[2] = {hn_symbolic(HN_S), hn_fixed(HONE_SEGMENT_FIELDS)},
                    g[2] = {hn_symbolic(HN_G), hn_fixed(2)};

    network->token = hn_program_input(p, "token", HONE_I32, 1, t);
    network->position = hn_program_input(p, "position", HONE_I32, 1, t);
    network->segment = hn_program_input(p, "segment", HONE_I32, 2, s);
    network->range = hn_program_input(p, "range", HONE_I32, 2, g);
    network->row = hn_program_input(p, "row", HONE_I32, 1, u);
    network->begin = hn_program_input(p, "begin", HONE_I32, 1, u1);
    network->target = hn_program_input(p, "target", HONE_I32, 1, e);

    builder->position = network->position;
    builder->segment = network->segment;
    builder->range = network->range;
    hn_value x =
        hn_build_layers(builder, hn_record_embedding(p, hn_build_embedding(builder), network->token));
    x = hn_build_final_norm(builder, x);
    network->logp =
        hn_record_head_logp(p, x, hn_build_head(builder), network->row, network->begin, network->target);
    hn_program_output(p, network->logp);
    return hn_program_finish(p);
}

static hone_status make(hone_model *model, hone_adapter *adapter, bool training, bool measure, uint64_t seed,
                        const hn_network_budget *budget, hn_network **out) {
    const hone_model_config *config = hone_model_configuration(model);
    hn_network *network = NULL;
    hn_builder *builder = NULL;
    hone_status status = HONE_OK;
    const int64_t extents[HN_SYMBOL_COUNT] = {[HN_FIXED] = 0,
                                              [HN_T] = budget->tokens,
                                              [HN_U] = budget->rows,
                                              [HN_E] = budget->edges,
                                              [HN_S] = budget->segments,
                                              [HN_G] = budget->ranges,
                                              [HN_C] = 0};
    *out = NULL;
    HN_GO(hn_alloc(&network, 1, sizeof *network, "network"));
    network->budget = *budget;
    network->vocabulary = config->vocabulary;
    network->max_positions = config->max_positions;
    HN_GO(hn_program_create(hone_model_device(model), hn_model_weights(model)->dtype, training, extents,
                            &network->program));
    if (measure)
        hn_program_measure_only(network->program);
    hn_program_recompute(network->program, budget->recompute);
    HN_GO(hn_builder_create(network->program, model, adapter, training, seed, &builder));
    HN_GO(record(network, builder));
    *out = network;
    network = NULL;
done:
    hn_builder_destroy(builder);
    hn_network_destroy(network);
    return status;
}

hone_status hn_network_create(hone_model *model, hone_adapter *adapter, bool training, uint64_t seed,
                              const hn_network_budget *budget, hn_network **network) {
    return make(model, adapter, training, false, seed, budget, network);
}

hone_status hn_network_measure(hone_model *model, hone_adapter *adapter, bool training,
                               const hn_network_budget *budget, hn_program_memory *memory) {
    hn_network *network = NULL;

    memset(memory, 0, sizeof *memory);
    HN_TRY(make(model, adapter, training, true, 0, budget, &network));
    *memory = hn_program_plan(network->program);
    hn_network_destroy(network);
    return HONE_OK;
}

void hn_network_destroy(hn_network *network) {
    if (network == NULL)
        return;
    hn_program_destroy(network->program);
    hn_free(network);
}

/** Tokens index the embedding table and positions its training length: both come from data, so both are
 * checked. */
static hone_status check(const hn_network *network, const hone_pack *pack) {
    if (!hn_network_fits(&network->budget, pack))
        return hn_fail(
            HONE_ERROR_ARGUMENT,
            "pack of %lld tokens, %lld segments, %lld ranges, %lld rows and %lld edges is over the budget of "
            "%lld tokens: raise --pack-tokens or put fewer sequences into a pack",
            (long long)pack->tokens, (long long)pack->segments, (long long)pack->ranges,
            (long long)pack->rows, (long long)pack->edges, (long long)network->budget.tokens);
    for (int64_t t = 0; t < pack->tokens; t++)
        if (pack->token[t] < 0 || pack->token[t] >= network->vocabulary)
            return hn_fail(
                HONE_ERROR_ARGUMENT,
                "token id %d is outside the model's vocabulary of %lld: is this the model's tokenizer?",
                (int)pack->token[t], (long long)network->vocabulary);
    for (int64_t e = 0; e < pack->edges; e++)
        if (pack->target[e] < 0 || pack->target[e] >= network->vocabulary)
            return hn_fail(
                HONE_ERROR_ARGUMENT,
                "target id %d is outside the model's vocabulary of %lld: is this the model's tokenizer?",
                (int)pack->target[e], (long long)network->vocabulary);
    for (int64_t t = 0; t < pack->tokens; t++)
        if (pack->position[t] >= network->max_positions)
            return hn_fail(HONE_ERROR_ARGUMENT, "a sequence is longer than the model's %lld positions",
                           (long long)network->max_positions);
    return HONE_OK;
}

static hone_status bind(hn_network *network, const hone_pack *pack) {
    hn_program *p = network->program;

    HN_TRY(hn_program_bind(p, HN_T, pack->tokens));
    HN_TRY(hn_program_bind(p, HN_S, pack->segments));
    HN_TRY(hn_program_bind(p, HN_G, pack->ranges));
    HN_TRY(hn_program_bind(p, HN_U, pack->rows));
    HN_TRY(hn_program_bind(p, HN_E, pack->edges));
    HN_TRY(hn_program_upload(p, network->token, pack->token));
    HN_TRY(hn_program_upload(p, network->position, pack->position));
    HN_TRY(hn_program_upload(p, network->segment, pack->segment));
    HN_TRY(hn_program_upload(p, network->range, pack->range));
    HN_TRY(hn_program_upload(p, network->row, pack->row));
    HN_TRY(hn_program_upload(p, network->begin, pack->begin));
    return hn_program_upload(p, network->target, pack->target);
}

static hone_status run(hn_network *network, const hone_pack *pack, uint32_t step) {
    HN_TRY(check(network, pack));
    HN_TRY(bind(network, pack));
    hn_program_set_step(network->program, step);
    return hn_program_forward(network->program);
}

hone_status hn_network_forward(hn_network *network, const hone_pack *pack, uint32_t step, float *edge_logp) {
    HN_TRY(run(network, pack, step));
    return hn_program_download(network->program, network->logp, edge_logp);
}

hone_status hn_network_forward_f64(hn_network *network, const hone_pack *pack, uint32_t step,
                                   double *edge_logp) {
    HN_TRY(run(network, pack, step));
    return hn_program_download_f64(network->program, network->logp, edge_logp);
}

hone_status hn_network_backward(hn_network *network, const float *edge_weight, bool accumulate) {
    HN_TRY(hn_program_seed(network->program, edge_weight));
    return hn_program_backward(network->program, accumulate);
}

hone_status hn_network_backward_f64(hn_network *network, const double *edge_weight, bool accumulate) {
    HN_TRY(hn_program_seed_f64(network->program, edge_weight));
    return hn_program_backward(network->program, accumulate);
}

hn_program *hn_network_program(hn_network *network) { return network->program; }
