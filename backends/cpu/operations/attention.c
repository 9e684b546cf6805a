/** ATTENTION and ATTENTION_BACKWARD: cutting the work; the kernels are elsewhere. */
#include "attention.h"

#include <string.h>

_Static_assert(sizeof(hone_segment) == HONE_SEGMENT_FIELDS * sizeof(int32_t),
               "a row of the tensor is the struct");

/* ---- tiles ---- */

/* Even pieces of `size` rows, but a rest of up to `most` is not cut again. */
static int64_t cut_rows(hn_cpu_attention_tile *tile, int32_t segment, int64_t first, int64_t last,
                        int64_t size, int64_t most) {
    int64_t count = 0;
    while (first < last) {
        int64_t rows = last - first <= most ? last - first : size;
        tile[count++] = (hn_cpu_attention_tile){segment, (int32_t)first, (int32_t)rows};
        first += rows;
    }
    return count;
}

static void cut_queries(hn_cpu_attention_work *work) {
    int64_t size = hn_cpu_max(1, HN_CPU_LANES / work->group);
    int64_t most = hn_cpu_max(1, HN_CPU_LANES_MOST / work->group);
    for (int32_t s = 0; s < work->segments; s++) {
        const hone_segment *segment = hn_cpu_segment(work, s);
        work->query_tiles += cut_rows(work->query_tile + work->query_tiles, s, segment->query_begin,
                                      segment->query_end, size, most);
    }
}

static void cut_keys(hn_cpu_attention_work *work) {
    for (int32_t s = 0; s < work->segments; s++) {
        const hone_segment *segment = hn_cpu_segment(work, s);
        work->key_tiles += cut_rows(work->key_tile + work->key_tiles, s, segment->query_begin,
                                    segment->query_end, HN_CPU_LANES, HN_CPU_LANES_MOST);
    }
}

/* ---- workspace: tiles, then each thread's scratch ---- */

static int64_t round_up(int64_t value, int64_t unit) { return hn_cpu_ceil_div(value, unit) * unit; }

/* What the hungriest kernel lays out: see kernels/vector/attention.h. */
static int64_t scratch_floats(int64_t heads, int64_t width) {
    int64_t lanes = hn_cpu_max(HN_CPU_LANES_MOST, round_up(heads, 16)), across = round_up(width, 16);
    return 4 * lanes * across + HN_CPU_BLOCK * (3 * across + 2 * lanes) + 4 * lanes + 2 * HN_CPU_BLOCK;
}

/* There are never more tiles than rows of queries. */
static size_t tiles_bytes(int64_t tokens) {
    return (size_t)round_up(tokens * (int64_t)sizeof(hn_cpu_attention_tile), HONE_BUFFER_ALIGNMENT);
}

static size_t workspace(const hone_backend_device *device, const hone_tensor *q, int lists) {
    int64_t threads = device->host->threads(device->host->context);
    size_t scratch = (size_t)(threads * scratch_floats(q->extent[1], q->extent[2])) * sizeof(float);
    return (size_t)lists * tiles_bytes(q->extent[0]) + (device->isa == HN_CPU_SCALAR ? 0 : scratch);
}

size_t hn_cpu_attention_workspace(hone_backend_device *device, const hone_call *call) {
    return workspace(device, &call->operand[HONE_ATTENTION_Q], 1);
}

size_t hn_cpu_attention_backward_workspace(hone_backend_device *device, const hone_call *call) {
    return workspace(device, &call->operand[HONE_ATTENTION_BACKWARD_Q], 2);
}

static hn_cpu_heads heads_of(const hone_backend_device *device, const hone_call *call, int operand) {
    const hone_tensor *tensor = &call->operand[operand];
    return (hn_cpu_heads){hn_cpu_data(device, tensor), tensor->row_stride};
}

/* What both directions have at the same places. */
static hn_cpu_attention_work begin_work(const hone_backend_device *device, const hone_call *call, int lists) {
    const hone_tensor *q = &call->operand[HONE_ATTENTION_Q], *k = &call->operand[HONE_ATTENTION_K];
    const hone_tensor *segment = &call->operand[HONE_ATTENTION_SEGMENT];
    const hone_tensor *range = &call->operand[HONE_ATTENTION_RANGE];
    const hone_scale_params *params = call->params;
    char *workspace = hn_cpu_data(device, &call->workspace);
    hn_cpu_attention_work work = {.kernels = &device->kernels,
                                  .q = heads_of(device, call, HONE_ATTENTION_Q),
                                  .k = heads_of(device, call, HONE_ATTENTION_K),
                                  .v = heads_of(device, call, HONE_ATTENTION_V),
                                  .segment = hn_cpu_data(device, segment),
                                  .segment_stride = segment->row_stride,
                                  .segments = segment->extent[0],
                                  .range = hn_cpu_data(device, range),
                                  .range_stride = range->row_stride,
                                  .tokens = q->extent[0],
                                  .heads = q->extent[1],
                                  .key_heads = k->extent[1],
                                  .width = q->extent[2],
                                  .scale = (float)params->scale};
    work.group = work.key_heads > 0 ? work.heads / work.key_heads : 0;
    work.query_tile = (hn_cpu_attention_tile *)(void *)workspace;
    work.key_tile = (hn_cpu_attention_tile *)(void *)(workspace + tiles_bytes(work.tokens));
    work.scratch = (float *)(void *)(workspace + (size_t)lists * tiles_bytes(work.tokens));
    work.scratch_floats = device->isa == HN_CPU_SCALAR ? 0 : scratch_floats(work.heads, work.width);
    return work;
}

_Static_assert((int)HONE_ATTENTION_Q == (int)HONE_ATTENTION_BACKWARD_Q &&
                   (int)HONE_ATTENTION_K == (int)HONE_ATTENTION_BACKWARD_K &&
                   (int)HONE_ATTENTION_V == (int)HONE_ATTENTION_BACKWARD_V &&
                   (int)HONE_ATTENTION_SEGMENT == (int)HONE_ATTENTION_BACKWARD_SEGMENT &&
                   (int)HONE_ATTENTION_RANGE == (int)HONE_ATTENTION_BACKWARD_RANGE,
               "begin_work reads both");

static bool nothing_to_do(const hn_cpu_attention_work *work) {
    return work->segments == 0 || work->tokens == 0 || work->group == 0;
}

/* ---- forward ---- */

/* Later tiles see more keys: they go first. */
static void run_query_item(void *argument, int64_t index, int thread) {
    const hn_cpu_attention_work *work = argument;
    work->kernels->attention(work, work->query_tiles * work->key_heads - 1 - index,
                             work->scratch + thread * work->scratch_floats);
}

hone_status hn_cpu_attention(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *lse = &call->operand[HONE_ATTENTION_LSE];
    hn_cpu_attention_work work = begin_work(device, call, 1);
    if (nothing_to_do(&work)) {
        return HONE_OK;
    }
    work.o = heads_of(device, call, HONE_ATTENTION_O);
    work.lse = hn_cpu_data(device, lse);
    work.lse_stride = lse->row_stride;
    cut_queries(&work);
    device->host->parallel(device->host->context, work.query_tiles * work.key_heads, run_query_item, &work);
    return HONE_OK;
}

/* ---- backward ---- */

static void make_delta(const void *argument, int64_t first, int64_t last) {
    const hn_cpu_attention_work *work = argument;
    for (int64_t t = first; t < last; t++) {
        for (int64_t h = 0; h < work->heads; h++) {
            work->delta[h * work->delta_stride + t] =
                work->kernels->dot(hn_cpu_head(&work->o, t, h, work->width),
                                   hn_cpu_head(&work->dout, t, h, work->width), work->width);
        }
    }
}

/* The items of keys, then those of queries; the long ones of each first. */
static void run_backward_item(void *argument, int64_t index, int thread) {
    const hn_cpu_attention_work *work = argument;
    float *scratch = work->scratch + thread * work->scratch_floats;
    int64_t key_items = work->key_tiles * work->key_heads;
    if (index < key_items) {
        work->kernels->attention_key_gradient(work, index, scratch);
    } else {
        index = key_items + work->query_tiles * work->key_heads - 1 - index;
        work->kernels->attention_query_gradient(work, index, scratch);
    }
}

hone_status hn_cpu_attention_backward(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *lse = &call->operand[HONE_ATTENTION_BACKWARD_LSE];
    const hone_tensor *delta = &call->operand[HONE_ATTENTION_BACKWARD_DELTA];
    hn_cpu_attention_work work = begin_work(device, call, 2);
    if (nothing_to_do(&work)) {
        return HONE_OK;
    }
    work.o = heads_of(device, call, HONE_ATTENTION_BACKWARD_O);
    work.dout = heads_of(device, call, HONE_ATTENTION_BACKWARD_DO);
    work.dq = heads_of(device, call, HONE_ATTENTION_BACKWARD_DQ);
    work.dk = heads_of(device, call, HONE_ATTENTION_BACKWARD_DK);
    work.dv = heads_of(device, call, HONE_ATTENTION_BACKWARD_DV);
    work.lse = hn_cpu_data(device, lse);
    work.lse_stride = lse->row_stride;
    work.delta = hn_cpu_data(device, delta);
    work.delta_stride = delta->row_stride;
    cut_queries(&work);
    cut_keys(&work);
    hn_cpu_each_block(device, work.tokens, work.heads * work.width, make_delta, &work);
    device->host->parallel(device->host->context, (work.query_tiles + work.key_tiles) * work.key_heads,
                           run_backward_item, &work);
    return HONE_OK;
}
