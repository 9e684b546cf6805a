/**
 * HEAD_LOGP and HEAD_LOGP_BACKWARD: the logits of scored rows in tiles of rows and vocabulary that are
 * used while they are in cache and never kept.
 *
 * Forward: each tile leaves, for each of its rows, its maximum and its sum of exponentials; these are then
 * merged in order of vocabulary. Backward: a panel of rows and some tiles of vocabulary at a time becomes dz,
 * which two products turn into dh and dw. The cutting depends on shapes only, so the bits do not depend on the
 * number of threads.
 */
#include "operations.h"

#include <math.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

enum {
    TILE_ROWS = 192,   /* of scored rows, at most */
    TILE_WORDS = 576,  /* of vocabulary */
    PANEL_ROWS = 1024, /* of scored rows, at most */
    PANEL_TILES = 8,   /* of vocabulary: the width of dz in the backward */
    GROUP = 16         /* rows handed to a thread for cheap work */
};
/** The most that gathered rows may take, twice in the backward. */
static const int64_t gathered_bytes = INT64_C(12) << 20;

typedef struct head {
    const hn_cpu_matmul_state *matmul;
    const hn_cpu_kernels *kernels;
    const hone_host *host;
    int64_t rows, words, width; /* U, V, D */
    const float *h;
    hn_cpu_matrix w;
    int64_t ldh;
    const int32_t *row, *begin, *target;
    int64_t row_stride, begin_stride, target_stride;
    const float *lse_in, *g; /* backward */
    float *logp, *lse;       /* forward */
    int64_t logp_stride, lse_stride, g_stride;
    /* the panel in work */
    int64_t panel_first, panel_rows, tile_rows;
    float *gathered;
    float *partial;                   /* forward: [words tile][panel row][maximum, sum] */
    float *tile;                      /* forward: a tile of logits for each thread */
    float *dz;                        /* backward: [panel row][PANEL_TILES * TILE_WORDS] */
    float *dh;                        /* backward: as gathered */
    float *weight;                    /* backward: sum of a row's g, for each panel row */
    int64_t words_first, words_count; /* backward: the words of dz in work */
    int64_t dz_ld;
    atomic_bool failed;
} head;

/* ---- scratch ---- */

static int64_t panel_limit(int64_t width) {
    int64_t fit = gathered_bytes / (int64_t)sizeof(float) / (width > 0 ? width : 1);
    return fit > PANEL_ROWS ? PANEL_ROWS : fit < 1 ? 1 : fit;
}

/* Bounded by the constants alone, and never less for larger extents. */
static size_t gathered_size(int64_t rows, int64_t width) {
    int64_t limit = gathered_bytes / (int64_t)sizeof(float);
    limit = width > limit ? width : limit;
    rows = hn_cpu_min(rows, PANEL_ROWS);
    int64_t full = width > 0 && rows > limit / width ? limit : rows * width;
    return (size_t)full * sizeof(float);
}

/* Lays areas out one after the other; a NULL base only measures. */
static void *take(char *base, size_t *used, size_t bytes) {
    size_t at = *used;
    *used += (bytes + HONE_BUFFER_ALIGNMENT - 1) / HONE_BUFFER_ALIGNMENT * HONE_BUFFER_ALIGNMENT;
    return base == NULL ? NULL : base + at;
}

static size_t lay_out_forward(head *work, char *base) {
    size_t used = 0;
    int64_t panel = hn_cpu_min(work->rows, PANEL_ROWS), words = hn_cpu_min(work->words, TILE_WORDS);
    int64_t tiles = hn_cpu_ceil_div(work->words, TILE_WORDS),
            threads = work->host->threads(work->host->context);
    work->gathered = take(base, &used, gathered_size(work->rows, work->width));
    work->partial = take(base, &used, (size_t)(tiles * panel * 2) * sizeof(float));
    work->tile = take(base, &used, (size_t)(threads * hn_cpu_min(panel, TILE_ROWS) * words) * sizeof(float));
    return used;
}

static size_t lay_out_backward(head *work, char *base) {
    size_t used = 0;
    int64_t panel = hn_cpu_min(work->rows, PANEL_ROWS);
    work->dz_ld = hn_cpu_min(work->words, PANEL_TILES * TILE_WORDS);
    work->gathered = take(base, &used, gathered_size(work->rows, work->width));
    work->dh = take(base, &used, gathered_size(work->rows, work->width));
    work->weight = take(base, &used, (size_t)panel * sizeof(float));
    work->dz = take(base, &used, (size_t)(panel * work->dz_ld) * sizeof(float));
    return used;
}

static void set_shape(head *work, hone_backend_device *device, const hone_call *call, int row) {
    const hone_tensor *h = &call->operand[HONE_HEAD_LOGP_H], *w = &call->operand[HONE_HEAD_LOGP_W];
    memset(work, 0, sizeof *work);
    atomic_init(&work->failed, false);
    work->host = device->host;
    work->matmul = &device->matmul;
    work->kernels = &device->kernels;
    work->width = h->extent[1];
    work->words = w->extent[0];
    work->rows = call->operand[row].extent[0];
    work->ldh = h->row_stride;
}

size_t hn_cpu_head_logp_workspace(hone_backend_device *device, const hone_call *call) {
    head work;
    set_shape(&work, device, call, HONE_HEAD_LOGP_ROW);
    return lay_out_forward(&work, NULL);
}

size_t hn_cpu_head_logp_backward_workspace(hone_backend_device *device, const hone_call *call) {
    head work;
    set_shape(&work, device, call, HONE_HEAD_LOGP_BACKWARD_ROW);
    return lay_out_backward(&work, NULL);
}

/* ---- the panel of rows in work ---- */

/* Operands that stand at the same place in both operations. */
static void set_inputs(head *work, hone_backend_device *device, const hone_call *call) {
    const hone_tensor *row = &call->operand[HONE_HEAD_LOGP_ROW],
                      *begin = &call->operand[HONE_HEAD_LOGP_BEGIN];
    const hone_tensor *target = &call->operand[HONE_HEAD_LOGP_TARGET];
    work->h = hn_cpu_data(device, &call->operand[HONE_HEAD_LOGP_H]);
    work->w = hn_cpu_weights(device, &call->operand[HONE_HEAD_LOGP_W]);
    work->row = hn_cpu_data(device, row);
    work->row_stride = row->row_stride;
    work->begin = hn_cpu_data(device, begin);
    work->begin_stride = begin->row_stride;
    work->target = hn_cpu_data(device, target);
    work->target_stride = target->row_stride;
}

_Static_assert(HONE_HEAD_LOGP_H == (int)HONE_HEAD_LOGP_BACKWARD_H &&
                   HONE_HEAD_LOGP_W == (int)HONE_HEAD_LOGP_BACKWARD_W &&
                   HONE_HEAD_LOGP_ROW == (int)HONE_HEAD_LOGP_BACKWARD_ROW &&
                   HONE_HEAD_LOGP_BEGIN == (int)HONE_HEAD_LOGP_BACKWARD_BEGIN &&
                   HONE_HEAD_LOGP_TARGET == (int)HONE_HEAD_LOGP_BACKWARD_TARGET,
               "set_inputs and set_shape read both");

static int64_t row_of(const head *work, int64_t panel_row) {
    return work->row[(work->panel_first + panel_row) * work->row_stride];
}

static int64_t begin_of(const head *work, int64_t panel_row) {
    return work->begin[(work->panel_first + panel_row) * work->begin_stride];
}

static void for_groups(head *work, int64_t rows, void (*body)(void *argument, int64_t index, int thread)) {
    work->host->parallel(work->host->context, hn_cpu_ceil_div(rows, GROUP), body, work);
}

static void gather_group(void *argument, int64_t index, int thread) {
    (void)thread;
    head *work = argument;
    for (int64_t r = index * GROUP; r < hn_cpu_min(work->panel_rows, (index + 1) * GROUP); r++) {
        memcpy(work->gathered + r * work->width, work->h + row_of(work, r) * work->ldh,
               (size_t)work->width * sizeof(float));
    }
}

static void set_panel(head *work, int64_t first) {
    work->panel_first = first;
    work->panel_rows = hn_cpu_min(panel_limit(work->width), work->rows - first);
    int64_t tile = hn_cpu_ceil_div(work->panel_rows, hn_cpu_ceil_div(work->panel_rows, TILE_ROWS));
    work->tile_rows = hn_cpu_min(hn_cpu_ceil_div(tile, 8) * 8, TILE_ROWS);
    for_groups(work, work->panel_rows, gather_group);
}

/* z[rows, words] = gathered w^T for the rows from `row` and the words from `word`. */
static bool logits(const head *work, int64_t row, int64_t rows, int64_t word, int64_t words, float *z,
                   int64_t ldz, int thread) {
    hn_cpu_product product = {
        .kind = HN_CPU_NT,
        .alpha = 1.0f,
        .m = rows,
        .n = words,
        .k = work->width,
        .a = work->gathered + row * work->width,
        .lda = work->width,
        .b = hn_cpu_matrix_below(work->w, word),
        .c = z,
        .ldc = ldz,
    };
    return hn_cpu_matmul_tile(work->matmul, &product, thread);
}

/* ---- forward ---- */

/* The logits of this row's targets, where they lie among these words. */
static void pick_targets(const head *work, int64_t row, const float *z, int64_t word, int64_t words) {
    for (int64_t e = begin_of(work, row); e < begin_of(work, row + 1); e++) {
        int64_t at = work->target[e * work->target_stride] - word;
        if (at >= 0 && at < words) {
            work->logp[e * work->logp_stride] = z[at];
        }
    }
}

static void forward_tile(void *argument, int64_t index, int thread) {
    head *work = argument;
    int64_t down = hn_cpu_ceil_div(work->panel_rows, work->tile_rows);
    int64_t row = index % down * work->tile_rows, column = index / down, word = column * TILE_WORDS;
    int64_t rows = hn_cpu_min(work->tile_rows, work->panel_rows - row);
    int64_t words = hn_cpu_min(TILE_WORDS, work->words - word);
    int64_t most_rows = hn_cpu_min(hn_cpu_min(work->rows, PANEL_ROWS), TILE_ROWS);
    float *z = work->tile + thread * most_rows * hn_cpu_min(work->words, TILE_WORDS);
    if (!logits(work, row, rows, word, words, z, words, thread)) {
        atomic_store(&work->failed, true);
        return;
    }
    for (int64_t r = 0; r < rows; r++) {
        float *partial = work->partial + (column * work->panel_rows + row + r) * 2;
        partial[0] = work->kernels->row_maximum(z + r * words, words);
        partial[1] = work->kernels->sum_exponentials(z + r * words, words, partial[0]);
        pick_targets(work, row + r, z + r * words, word, words);
    }
}

static double merge(const head *work, int64_t row) {
    int64_t tiles = hn_cpu_ceil_div(work->words, TILE_WORDS);
    float maximum = -INFINITY;
    for (int64_t i = 0; i < tiles; i++) {
        float other = work->partial[(i * work->panel_rows + row) * 2];
        maximum = other > maximum ? other : maximum;
    }
    double sum = 0.0;
    for (int64_t i = 0; i < tiles; i++) {
        const float *partial = work->partial + (i * work->panel_rows + row) * 2;
        sum += (double)partial[1] * exp((double)partial[0] - (double)maximum);
    }
    return tiles == 0 ? -INFINITY : (double)maximum + log(sum);
}

static void finish_group(void *argument, int64_t index, int thread) {
    (void)thread;
    head *work = argument;
    for (int64_t r = index * GROUP; r < hn_cpu_min(work->panel_rows, (index + 1) * GROUP); r++) {
        double lse = merge(work, r);
        work->lse[(work->panel_first + r) * work->lse_stride] = (float)lse;
        for (int64_t e = begin_of(work, r); e < begin_of(work, r + 1); e++) {
            float *logp = &work->logp[e * work->logp_stride];
            *logp = (float)((double)*logp - lse);
        }
    }
}

hone_status hn_cpu_head_logp(hone_backend_device *device, const hone_call *call) {
    head work;
    set_shape(&work, device, call, HONE_HEAD_LOGP_ROW);
    if (work.rows == 0) {
        return HONE_OK;
    }
    set_inputs(&work, device, call);
    const hone_tensor *logp = &call->operand[HONE_HEAD_LOGP_LOGP], *lse = &call->operand[HONE_HEAD_LOGP_LSE];
    work.logp = hn_cpu_data(device, logp);
    work.logp_stride = logp->row_stride;
    work.lse = hn_cpu_data(device, lse);
    work.lse_stride = lse->row_stride;
    (void)lay_out_forward(&work, hn_cpu_data(device, &call->workspace));
    for (int64_t first = 0; first < work.rows; first += work.panel_rows) {
        set_panel(&work, first);
        int64_t tiles =
            hn_cpu_ceil_div(work.panel_rows, work.tile_rows) * hn_cpu_ceil_div(work.words, TILE_WORDS);
        work.host->parallel(work.host->context, tiles, forward_tile, &work);
        if (atomic_load(&work.failed)) {
            return hn_cpu_matmul_failed(work.matmul);
        }
        for_groups(&work, work.panel_rows, finish_group);
    }
    return HONE_OK;
}

/* ---- backward ---- */

static void weigh_rows(head *work) {
    for (int64_t r = 0; r < work->panel_rows; r++) {
        double sum = 0.0;
        for (int64_t e = begin_of(work, r); e < begin_of(work, r + 1); e++) {
            sum += (double)work->g[e * work->g_stride];
        }
        work->weight[r] = (float)sum;
    }
}

static void dz_tile(void *argument, int64_t index, int thread) {
    head *work = argument;
    int64_t down = hn_cpu_ceil_div(work->panel_rows, work->tile_rows);
    int64_t row = index % down * work->tile_rows, column = index / down * TILE_WORDS;
    int64_t rows = hn_cpu_min(work->tile_rows, work->panel_rows - row);
    int64_t words = hn_cpu_min(TILE_WORDS, work->words_count - column), word = work->words_first + column;
    float *dz = work->dz + row * work->dz_ld + column;
    if (!logits(work, row, rows, word, words, dz, work->dz_ld, thread)) {
        atomic_store(&work->failed, true);
        return;
    }
    for (int64_t r = row; r < row + rows; r++, dz += work->dz_ld) {
        float lse = work->lse_in[(work->panel_first + r) * work->lse_stride];
        work->kernels->scale_exponentials(dz, words, lse, -work->weight[r]);
        for (int64_t e = begin_of(work, r); e < begin_of(work, r + 1); e++) {
            int64_t at = work->target[e * work->target_stride] - word;
            if (at >= 0 && at < words) {
                dz[at] += work->g[e * work->g_stride];
            }
        }
    }
}

static hone_status add_dh(const head *work) {
    hn_cpu_product product = {
        .kind = HN_CPU_NN,
        .accumulate = work->words_first > 0,
        .alpha = 1.0f,
        .m = work->panel_rows,
        .n = work->width,
        .k = work->words_count,
        .a = work->dz,
        .lda = work->dz_ld,
        .b = hn_cpu_matrix_below(work->w, work->words_first),
        .c = work->dh,
        .ldc = work->width,
    };
    return hn_cpu_matmul(work->matmul, &product);
}

static hone_status add_dw(const head *work, float *dw, int64_t ld, bool accumulate) {
    hn_cpu_product product = {
        .kind = HN_CPU_TN,
        .accumulate = accumulate || work->panel_first > 0,
        .alpha = 1.0f,
        .m = work->words_count,
        .n = work->width,
        .k = work->panel_rows,
        .a = work->dz,
        .lda = work->dz_ld,
        .b = hn_cpu_matrix_f32(work->gathered, work->width),
        .c = dw + work->words_first * ld,
        .ldc = ld,
    };
    return hn_cpu_matmul(work->matmul, &product);
}

static void zero_rows(const hone_tensor *tensor, float *data) {
    for (int64_t r = 0; r < tensor->extent[0]; r++) {
        memset(data + r * tensor->row_stride, 0, (size_t)tensor->extent[1] * sizeof(float));
    }
}

/* The panel's rows are disjoint from every other panel's; rows were zeroed where not added to. */
static void scatter_dh(const head *work, float *dh, int64_t ld) {
    for (int64_t r = 0; r < work->panel_rows; r++) {
        float *to = dh + row_of(work, r) * ld;
        const float *from = work->dh + r * work->width;
        for (int64_t d = 0; d < work->width; d++) {
            to[d] += from[d];
        }
    }
}

/* What is wanted of the backward; NULL: not. */
typedef struct wanted {
    float *dh, *dw;
    int64_t dh_ld, dw_ld;
    bool dw_accumulate;
} wanted;

static hone_status backward_panel(head *work, const wanted *out) {
    int64_t down = hn_cpu_ceil_div(work->panel_rows, work->tile_rows);
    weigh_rows(work);
    for (int64_t first = 0; first < work->words; first += work->dz_ld) {
        work->words_first = first;
        work->words_count = hn_cpu_min(work->dz_ld, work->words - first);
        work->host->parallel(work->host->context, down * hn_cpu_ceil_div(work->words_count, TILE_WORDS),
                             dz_tile, work);
        if (atomic_load(&work->failed)) {
            return hn_cpu_matmul_failed(work->matmul);
        }
        hone_status status = out->dh == NULL ? HONE_OK : add_dh(work);
        if (status == HONE_OK && out->dw != NULL) {
            status = add_dw(work, out->dw, out->dw_ld, out->dw_accumulate);
        }
        if (status != HONE_OK) {
            return status;
        }
    }
    if (out->dh != NULL) {
        scatter_dh(work, out->dh, out->dh_ld);
    }
    return HONE_OK;
}

/* Overwritten outputs start from zero where no product will write them whole. */
static wanted prepare(const head *work, hone_backend_device *device, const hone_call *call) {
    wanted out = {0};
    const hone_tensor *dh = &call->operand[HONE_HEAD_LOGP_BACKWARD_DH];
    const hone_tensor *dw = &call->operand[HONE_HEAD_LOGP_BACKWARD_DW];
    if (hn_cpu_present(dh)) {
        out.dh = hn_cpu_data(device, dh);
        out.dh_ld = dh->row_stride;
        if (!hn_cpu_accumulates(call, HONE_HEAD_LOGP_BACKWARD_DH)) {
            zero_rows(dh, out.dh);
        }
    }
    if (hn_cpu_present(dw)) {
        out.dw = hn_cpu_data(device, dw);
        out.dw_ld = dw->row_stride;
        out.dw_accumulate = hn_cpu_accumulates(call, HONE_HEAD_LOGP_BACKWARD_DW);
        if (!out.dw_accumulate && work->rows == 0) {
            zero_rows(dw, out.dw);
        }
    }
    return out;
}

hone_status hn_cpu_head_logp_backward(hone_backend_device *device, const hone_call *call) {
    head work;
    set_shape(&work, device, call, HONE_HEAD_LOGP_BACKWARD_ROW);
    set_inputs(&work, device, call);
    const hone_tensor *lse = &call->operand[HONE_HEAD_LOGP_BACKWARD_LSE];
    const hone_tensor *g = &call->operand[HONE_HEAD_LOGP_BACKWARD_G];
    work.lse_in = hn_cpu_data(device, lse);
    work.lse_stride = lse->row_stride;
    work.g = hn_cpu_data(device, g);
    work.g_stride = g->row_stride;
    wanted out = prepare(&work, device, call);
    if (work.rows == 0 || work.words == 0 || (out.dh == NULL && out.dw == NULL)) {
        return HONE_OK;
    }
    (void)lay_out_backward(&work, hn_cpu_data(device, &call->workspace));
    for (int64_t first = 0; first < work.rows; first += work.panel_rows) {
        set_panel(&work, first);
        hone_status status = backward_panel(&work, &out);
        if (status != HONE_OK) {
            return status;
        }
    }
    return HONE_OK;
}
