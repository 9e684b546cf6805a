/**
 * Random recorded programs for tests: every operation, trainable and frozen parameters mixed, values read several
 * times, adapters, tied heads. One seed gives one program, the same numbers on every device.
 */
#ifndef SUPPORT_RANDOM_PROGRAM_H
#define SUPPORT_RANDOM_PROGRAM_H

#include <core/memory.h>
#include <core/random.h>
#include <graph/program.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensor/tensor.h>

enum {
    RP_D = 8,
    RP_F = 12,
    RP_H = 2,
    RP_K = 1,
    RP_N = 4,
    RP_R = 2,
    RP_V = 13,
    RP_PARAMETERS = 160,
    RP_POOL = 64
};

typedef struct rp_parameter {
    hone_tensor value, gradient;
    int64_t count;
    bool trainable;
} rp_parameter;

typedef struct rp {
    hone_device *device;
    hone_dtype dtype;
    hn_program *program;
    uint64_t seed, draws;
    int64_t tokens, rows, edges;
    rp_parameter parameter[RP_PARAMETERS];
    int parameters;
    hn_value token, position, segment, range, row, begin, target, frequency, logp;
    hn_value pool[RP_POOL]; /* values of shape [T,D] */
    int pooled, streams;
    hone_status status; /* of making parameters */
    bool all_trainable;
    bool freeze_first; /* nothing before the last steps is trainable */
    int64_t recompute; /* blocks: every step, or every layer, is one */
} rp;

static inline int64_t rp_below(rp *p, int64_t bound) {
    return (int64_t)hn_random_below(p->seed, HN_PURPOSE_TEST, 0, p->draws++, (uint64_t)bound);
}

static inline hone_status rp_upload(rp *p, const hone_tensor *tensor, const double *values, int64_t count) {
    void *converted = malloc((size_t)(count > 0 ? count : 1) * sizeof(double));
    if (converted == NULL)
        return HONE_ERROR_MEMORY;
    hone_status status = hn_convert(HONE_F64, values, p->dtype, converted, (size_t)count);
    if (status == HONE_OK)
        status = hn_upload_tensor(p->device, tensor, converted);
    free(converted);
    return status;
}

static inline hone_status rp_download(rp *p, const hone_tensor *tensor, double *values, int64_t count) {
    void *raw = malloc((size_t)(count > 0 ? count : 1) * sizeof(double));
    if (raw == NULL)
        return HONE_ERROR_MEMORY;
    hone_status status = hn_download_tensor(p->device, tensor, raw);
    if (status == HONE_OK)
        status = hn_convert(p->dtype, raw, HONE_F64, values, (size_t)count);
    free(raw);
    return status;
}

/* A parameter of rank 1 (columns 0) or 2: normal numbers of the given spread around `middle`. */
static inline hn_value rp_parameter_new(rp *p, int64_t rows, int64_t columns, double middle, double spread) {
    rp_parameter *item = &p->parameter[p->parameters];
    double values[RP_V * RP_F * 4];
    const uint64_t at = (uint64_t)p->parameters * 100000u;
    uint64_t buffer = 0, gradient = 0;
    char name[16];

    item->count = rows * (columns > 0 ? columns : 1);
    item->trainable = p->all_trainable || rp_below(p, 10) < 6;
    if (p->parameters == 0 || (p->freeze_first && p->pooled < 4)) /* the first is the rotary frequencies */
        item->trainable = false;
    for (int64_t i = 0; i < item->count; i++)
        values[i] = middle + spread * hn_random_normal(p->seed, HN_PURPOSE_TEST, 1, at + (uint64_t)i);
    const size_t bytes = (size_t)item->count * hone_dtype_size(p->dtype);
    if (p->status == HONE_OK)
        p->status = hn_buffer_create(p->device, bytes, &buffer);
    if (p->status == HONE_OK)
        p->status = hn_buffer_create(p->device, bytes, &gradient);
    item->value = columns > 0 ? hn_tensor_2(buffer, 0, p->dtype, rows, columns)
                              : hn_tensor_1(buffer, 0, p->dtype, rows);
    item->gradient = item->value;
    item->gradient.buffer = gradient;
    if (p->status == HONE_OK)
        p->status = rp_upload(p, &item->value, values, item->count);
    const hone_tensor absent = hn_tensor_absent();
    (void)snprintf(name, sizeof name, "p%d", p->parameters);
    p->parameters++;
    return hn_program_parameter(p->program, name, &item->value, item->trainable ? &item->gradient : &absent);
}

static inline hn_value rp_pick(rp *p) {
    /* Mostly a recent value, sometimes any: long lives and short ones. */
    const int64_t last = p->pooled < 3 ? p->pooled : 3;
    return rp_below(p, 3) == 0 ? p->pool[rp_below(p, p->pooled)] : p->pool[p->pooled - 1 - rp_below(p, last)];
}

static inline void rp_push(rp *p, hn_value value) { p->pool[p->pooled++] = value; }

static inline hn_value rp_norm(rp *p, hn_value x) {
    return hn_record_rms_norm(p->program, x, rp_parameter_new(p, RP_D, 0, 1.0, 0.2), 1e-5);
}

static inline hn_value rp_linear(rp *p, hn_value x, int64_t inputs, int64_t outputs) {
    const hn_value w = rp_parameter_new(p, outputs, inputs, 0.0, 0.4);
    const hn_value bias = rp_below(p, 3) == 0 ? rp_parameter_new(p, outputs, 0, 0.0, 0.3) : HN_NONE;
    const hn_value y = hn_record_linear(p->program, x, w, bias, 1.25, HN_NONE);
    if (rp_below(p, 3) != 0)
        return y;
    const hn_value a = rp_parameter_new(p, RP_R, inputs, 0.0, 0.4),
                   b = rp_parameter_new(p, outputs, RP_R, 0.0, 0.4);
    hn_value low = x;
    if (rp_below(p, 2) == 0)
        low = hn_record_dropout(p->program, x, 0.25, p->seed, (uint32_t)p->streams++);
    low = hn_record_linear(p->program, low, a, HN_NONE, 1.0, HN_NONE);
    return hn_record_linear(p->program, low, b, HN_NONE, 2.0, y);
}

static inline hn_value rp_heads(rp *p, hn_value x, int64_t heads) {
    const hn_extent extent[3] = {hn_symbolic(HN_T), hn_fixed(heads), hn_fixed(RP_N)};
    return hn_program_view(p->program, x, 3, extent);
}

static inline hn_value rp_flat(rp *p, hn_value x, int64_t width) {
    const hn_extent extent[2] = {hn_symbolic(HN_T), hn_fixed(width)};
    return hn_program_view(p->program, x, 2, extent);
}

static inline hn_value rp_attention(rp *p, hn_value x) {
    const hn_value other = rp_below(p, 3) == 0 ? rp_pick(p) : x;
    hn_value q = rp_heads(p, rp_linear(p, x, RP_D, RP_H * RP_N), RP_H);
    hn_value k = rp_heads(p, rp_linear(p, other, RP_D, RP_K * RP_N), RP_K);
    /* Sometimes the keys are the values too: two contributions from one operation. */
    hn_value v = rp_below(p, 4) == 0 ? k : rp_heads(p, rp_linear(p, other, RP_D, RP_K * RP_N), RP_K);
    q = hn_record_rotary(p->program, q, p->position, p->frequency, 1.0);
    if (rp_below(p, 2) == 0)
        k = hn_record_rotary(p->program, k, p->position, p->frequency, 1.1);
    const hn_value o = hn_record_attention(p->program, q, k, v, p->segment, p->range, 0.5);
    return rp_linear(p, rp_flat(p, o, RP_H * RP_N), RP_H * RP_N, RP_D);
}

static inline hn_value rp_mlp(rp *p, hn_value x) {
    const hn_value gate = rp_linear(p, x, RP_D, RP_F), up = rp_linear(p, x, RP_D, RP_F);
    return rp_linear(p, hn_record_swiglu(p->program, gate, up), RP_F, RP_D);
}

static inline hn_value rp_add(rp *p, hn_value a) {
    for (int tries = 0; tries < 8; tries++) {
        const hn_value b = rp_pick(p);
        if (b != a)
            return hn_record_add(p->program, a, b);
    }
    return rp_norm(p, a);
}

static inline void rp_step(rp *p) {
    const hn_value x = rp_pick(p);
    switch (rp_below(p, 9)) {
    case 0:
        rp_push(p, rp_linear(p, rp_norm(p, x), RP_D, RP_D));
        break;
    case 1:
        rp_push(p, rp_attention(p, rp_norm(p, x)));
        break;
    case 2:
        rp_push(p, rp_mlp(p, rp_norm(p, x)));
        break;
    case 3:
        rp_push(p, hn_record_dropout(p->program, x, 0.2, p->seed, (uint32_t)p->streams++));
        break;
    case 4:
        rp_push(p, hn_record_swiglu(p->program, x, rp_below(p, 3) == 0 ? x : rp_pick(p)));
        break;
    case 5:
        rp_push(p,
                rp_flat(p, hn_record_rotary(p->program, rp_heads(p, x, RP_H), p->position, p->frequency, 0.9),
                        RP_D));
        break;
    case 6:
        rp_push(p, hn_record_gather_rows(p->program, x, p->position));
        break;
    default:
        rp_push(p, rp_add(p, x));
        break;
    }
}

static inline void rp_layer(rp *p) {
    hn_value x = p->pool[p->pooled - 1];
    x = hn_record_add(p->program, x, rp_attention(p, rp_norm(p, x)));
    rp_push(p, hn_record_add(p->program, x, rp_mlp(p, rp_norm(p, x))));
}

static inline void rp_block(rp *p, void (*record)(rp *p)) {
    hn_program_block_begin(p->program);
    record(p);
    hn_program_block_end(p->program);
}

static inline void rp_inputs(rp *p) {
    const hn_extent t[1] = {hn_symbolic(HN_T)}, u[1] = {hn_symbolic(HN_U)}, u1[1] = {{HN_U, 1}},
                    e[1] = {hn_symbolic(HN_E)};
    const hn_extent s[2] = {hn_symbolic(HN_S), hn_fixed(HONE_SEGMENT_FIELDS)},
                    g[2] = {hn_symbolic(HN_G), hn_fixed(2)};
    p->token = hn_program_input(p->program, "token", HONE_I32, 1, t);
    p->position = hn_program_input(p->program, "position", HONE_I32, 1, t);
    p->segment = hn_program_input(p->program, "segment", HONE_I32, 2, s);
    p->range = hn_program_input(p->program, "range", HONE_I32, 2, g);
    p->row = hn_program_input(p->program, "row", HONE_I32, 1, u);
    p->begin = hn_program_input(p->program, "begin", HONE_I32, 1, u1);
    p->target = hn_program_input(p->program, "target", HONE_I32, 1, e);
    p->frequency = rp_parameter_new(p, RP_N / 2, 0, 0.7, 0.3);
}

/* Records `steps` random steps between an embedding and a head; a negative number makes |steps| layers of a plain
 * decoder instead. */
static inline hone_status rp_record(rp *p, int steps) {
    rp_inputs(p);
    const hn_value table = rp_parameter_new(p, RP_V, RP_D, 0.0, 1.0);
    rp_push(p, hn_record_embedding(p->program, table, p->token));
    for (int i = 0; i < steps && p->pooled < RP_POOL && p->parameters < RP_PARAMETERS - 24; i++)
        rp_block(p, rp_step);
    for (int i = 0; i < -steps; i++)
        rp_block(p, rp_layer);
    hn_program_recompute(p->program, p->recompute);
    const bool tied = rp_below(p, 2) == 0;
    const hn_value h = rp_norm(p, p->pool[p->pooled - 1]);
    const hn_value w = tied ? table : rp_parameter_new(p, RP_V, RP_D, 0.0, 0.6);
    p->logp = hn_record_head_logp(p->program, h, w, p->row, p->begin, p->target);
    hn_program_output(p->program, p->logp);
    return p->status != HONE_OK ? p->status : hn_program_finish(p->program);
}

static inline hone_status rp_create(rp *p, hone_device *device, uint64_t seed, int steps, bool training,
                                    int64_t tokens, int64_t budget) {
    const int64_t extents[HN_SYMBOL_COUNT] = {0, budget, budget, 2 * budget, budget + 8, 2 * budget + 16, 0};

    p->device = device;
    p->dtype = hn_device_computes(device, HONE_F64) ? HONE_F64 : HONE_F32;
    p->seed = seed;
    p->tokens = tokens;
    const hone_status status = hn_program_create(device, p->dtype, training, extents, &p->program);
    return status != HONE_OK ? status : rp_record(p, steps);
}

static inline void rp_destroy(rp *p) {
    for (int i = 0; i < p->parameters; i++) {
        hn_buffer_destroy(p->device, p->parameter[i].value.buffer);
        hn_buffer_destroy(p->device, p->parameter[i].gradient.buffer);
    }
    hn_program_destroy(p->program);
}

enum { RP_TOKENS = 256 };

/* A tree: a root of half of the tokens, and under it chains of up to four, every second one with a child. */
static inline hone_status rp_pack(rp *p) {
    static int32_t token[RP_TOKENS], position[RP_TOKENS], row[RP_TOKENS], begin[RP_TOKENS + 1],
        target[RP_TOKENS * 2];
    static int32_t segment[RP_TOKENS][HONE_SEGMENT_FIELDS], range[RP_TOKENS * 2][2];
    const int32_t tokens = (int32_t)p->tokens, root = (tokens + 1) / 2;
    int32_t segments = 0, ranges = 0, rows = 0, edges = 0;

    for (int32_t at = 0; at < tokens;) {
        const int32_t left = tokens - at, length = at == 0 ? root : left < 4 ? left : 4;
        const bool child = at > 0 && segments % 2 == 0;
        int32_t *s = segment[segments];
        const int32_t *before = segments > 0 ? segment[segments - 1] : NULL;
        const int32_t row_of[HONE_SEGMENT_FIELDS] = {at, at + length, at, ranges, ranges, tokens};
        memcpy(s, row_of, sizeof row_of);
        if (at > 0) {
            range[ranges][0] = 0;
            range[ranges++][1] = root;
        }
        if (child) {
            range[ranges][0] = before[0];
            range[ranges++][1] = before[1];
        }
        s[4] = ranges;
        if (at > 0) { /* a chain with a child ends where the child does */
            const int32_t after = at + length, next = tokens - after < 4 ? tokens - after : 4;
            s[5] = child ? after : after + (next > 0 ? next : 0);
        }
        for (int32_t i = 0; i < length; i++)
            position[at + i] = (at == 0 ? 0 : child ? position[before[1] - 1] + 1 : root) + i;
        at += length;
        segments++;
    }
    for (int32_t t = 0; t < tokens; t++) {
        token[t] = (int32_t)hn_random_below(p->seed, HN_PURPOSE_TEST, 2, (uint64_t)t, RP_V);
        if (t % 3 == 2)
            continue;
        row[rows] = t;
        begin[rows++] = edges;
        for (int32_t i = 0; i < 1 + t % 2; i++, edges++)
            target[edges] = (int32_t)hn_random_below(p->seed, HN_PURPOSE_TEST, 3, (uint64_t)edges, RP_V);
    }
    begin[rows] = edges;
    p->rows = rows;
    p->edges = edges;
    const int64_t bound[HN_SYMBOL_COUNT] = {0, tokens, rows, edges, segments, ranges, 0};
    for (int s = HN_T; s < HN_C; s++) {
        const hone_status status = hn_program_bind(p->program, (hn_symbol)s, bound[s]);
        if (status != HONE_OK)
            return status;
    }
    const hn_value value[] = {p->token, p->position, p->segment, p->range, p->row, p->begin, p->target};
    const void *const data[] = {token, position, segment, range, row, begin, target};
    for (int i = 0; i < 7; i++) {
        const hone_status status = hn_program_upload(p->program, value[i], data[i]);
        if (status != HONE_OK)
            return status;
    }
    return HONE_OK;
}

/* d loss / d logp of edge e. */
static inline double rp_weight(const rp *p, int64_t e) {
    return hn_random_normal(p->seed, HN_PURPOSE_TEST, 4, (uint64_t)e);
}

static inline hone_status rp_forward(rp *p, double *logp) {
    hn_program_set_step(p->program, 7);
    const hone_status status = hn_program_forward(p->program);
    return status != HONE_OK ? status : hn_program_download_f64(p->program, p->logp, logp);
}

static inline hone_status rp_backward(rp *p, bool accumulate) {
    double weight[2 * RP_TOKENS];
    for (int64_t e = 0; e < p->edges; e++)
        weight[e] = rp_weight(p, e);
    const hone_status status = hn_program_seed_f64(p->program, weight);
    return status != HONE_OK ? status : hn_program_backward(p->program, accumulate);
}

/* The loss: a weighted sum of log-probabilities. */
static inline double rp_loss(rp *p) {
    double logp[2 * RP_TOKENS], loss = 0;
    if (rp_forward(p, logp) != HONE_OK)
        return NAN;
    for (int64_t e = 0; e < p->edges; e++)
        loss += rp_weight(p, e) * logp[e];
    return loss;
}

#endif
