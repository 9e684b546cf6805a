/* Operations of the cpu backend: the same bits for any number of threads and from call to call; instruction sets
 * agree to rounding; factors of products are of the dtype asked for; the faraway device, which computes with the scalar kernels, gives the scalar kernels' bits. */
#include <dispatch/dispatch.h>
#include <tensor/tensor.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void ok(hone_status status) {
    if (status != HONE_OK) {
        fail_msg("%s: %s", hone_status_name(status), hone_message());
    }
}

/* ---- problems: an operation, its extents by letter, and what its integers are ---- */

enum { MOST_SEGMENTS = 64, MOST_RANGES = 256 };

typedef struct problem {
    hone_operation operation;
    int64_t extent[128];
    const void *params;
    uint32_t accumulate;
    int64_t pad; /* elements between rows of operands of rank 2 and 3 */
} problem;

typedef struct pack {
    int32_t segment[MOST_SEGMENTS][HONE_SEGMENT_FIELDS], range[MOST_RANGES][2];
    int64_t segments, ranges;
} pack;

/* A root of 3/5 of the tokens, chains of two under it, single tokens at the end: what a pack of pairs looks like. */
static pack make_pack(int64_t tokens) {
    pack made = {0};
    int32_t root = (int32_t)(tokens * 3 / 5), at = root, step = (int32_t)(tokens / 12 + 1);
    int32_t first[HONE_SEGMENT_FIELDS] = {0, root, 0, 0, 0, (int32_t)tokens - 1};
    memcpy(made.segment[made.segments++], first, sizeof first);
    while (at < tokens) {
        bool alone = at == tokens - 1, child = made.segments % 2 == 0;
        int32_t end = alone ? at + 1 : (int32_t)(at + step < tokens - 1 ? at + step : tokens - 1);
        int32_t after = child || alone ? end : (int32_t)(end + step < tokens - 1 ? end + step : tokens - 1);
        int32_t row[HONE_SEGMENT_FIELDS] = {at, end, at, (int32_t)made.ranges, 0, after};
        if (!alone && root > 0) {
            made.range[made.ranges][0] = 0;
            made.range[made.ranges++][1] = root;
        }
        if (!alone && child) {
            const int32_t *parent = made.segment[made.segments - 1];
            made.range[made.ranges][0] = parent[0];
            made.range[made.ranges++][1] = parent[1];
        }
        row[4] = (int32_t)made.ranges;
        memcpy(made.segment[made.segments++], row, sizeof row);
        at = end;
    }
    return made;
}

static uint32_t next_random(uint32_t *seed) { return *seed = *seed * 1664525u + 1013904223u; }

static float next_float(uint32_t *seed) { return (float)(next_random(seed) >> 8) / (float)(1u << 23) - 1.0f; }

static void fill_integers(const problem *p, const char *name, int32_t *data, int64_t count, uint32_t *seed) {
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(name, "token") == 0 || strcmp(name, "target") == 0) {
            data[i] = (int32_t)((next_random(seed) >> 8) % (uint32_t)p->extent['V']);
        } else if (strcmp(name, "row") == 0 && p->operation == HONE_OP_SCATTER_ROWS) {
            data[i] = (int32_t)(p->extent['C'] - 1 - i);
        } else if (strcmp(name, "row") == 0) {
            data[i] = (int32_t)(i * p->extent['T'] / p->extent['U']);
        } else if (strcmp(name, "begin") == 0) {
            data[i] = (int32_t)(i * p->extent['E'] / p->extent['U']);
        } else {
            data[i] = (int32_t)((next_random(seed) >> 8) % 5000u); /* positions */
        }
    }
}

static const void *structure(const char *name, const pack *made) {
    return strcmp(name, "segment") == 0 ? (const void *)made->segment
           : strcmp(name, "range") == 0 ? (const void *)made->range
                                        : NULL;
}

static int64_t extent_of(const problem *p, const char **letter) {
    char first = *(*letter)++;
    int64_t value = first >= '0' && first <= '9' ? first - '0' : p->extent[(unsigned char)first];
    if (**letter == '+' || **letter == '/') {
        value = *(*letter)++ == '+' ? value + 1 : value / 2;
    }
    return value;
}

/* The operand without a buffer; `*` and "" are [T,D]. */
static hone_tensor shape_of(const problem *p, const hn_operand_info *about) {
    const char *letter = about->shape[0] == '\0' || about->shape[0] == '*' ? "TD" : about->shape;
    hone_tensor tensor = {.dtype = about->kind == 'i' ? HONE_I32 : about->kind == 'd' ? HONE_F64 : HONE_F32};
    for (int i = 0; i < HONE_MAX_RANK; i++) {
        tensor.extent[i] = 1;
    }
    while (*letter != '\0') {
        tensor.extent[tensor.rank++] = extent_of(p, &letter);
    }
    tensor.row_stride = tensor.extent[1] * tensor.extent[2] * tensor.extent[3];
    if (about->kind == 'f' && tensor.rank > 1) {
        tensor.row_stride += p->pad;
    }
    return tensor;
}

/* ---- running one ---- */

typedef struct result {
    size_t count; /* floats of all outputs, paddings included */
    float *data;
} result;

typedef struct run {
    hone_device *device;
    const problem *problem;
    const hn_operation_info *about;
    hone_tensor operand[HONE_MAX_OPERANDS];
    hone_call call;
} run;

static size_t bytes_of(const hone_tensor *tensor) {
    return (size_t)(tensor->extent[0] * tensor->row_stride) * hone_dtype_size((hone_dtype)tensor->dtype);
}

static bool positive(const problem *p, const char *name) {
    return strcmp(name, "rstd") == 0 || (strcmp(name, "v") == 0 && p->operation == HONE_OP_ADAMW);
}

static void fill_operand(run *r, int i, const pack *made, uint32_t *seed) {
    const hn_operand_info *about = &r->about->operand[i];
    hone_tensor *tensor = &r->operand[i];
    size_t bytes = bytes_of(tensor);
    void *data = calloc(1, bytes + 1);
    bool output = about->direction == HN_OUT && (r->problem->accumulate >> i & 1u) == 0;
    assert_non_null(data);
    if (structure(about->name, made) != NULL) {
        memcpy(data, structure(about->name, made), bytes);
    } else if (about->kind == 'i') {
        fill_integers(r->problem, about->name, data, tensor->extent[0], seed);
    } else if (output) {
        memset(data, 0xff, bytes); /* not a number */
    } else if (about->kind == 'd') {
        *(double *)data = 0.5;
    } else {
        for (size_t k = 0; k < bytes / sizeof(float); k++) {
            float value = next_float(seed);
            value = strcmp(about->name, "lse") == 0 ? 25.0f + value : value; /* logits go up to about that */
            ((float *)data)[k] = positive(r->problem, about->name) ? fabsf(value) : value;
        }
    }
    ok(hn_buffer_create(r->device, bytes, &tensor->buffer));
    ok(hn_upload(r->device, tensor->buffer, 0, data, bytes));
    free(data);
}

static void make_workspace(run *r) {
    size_t bytes = hn_workspace(r->device, r->problem->operation, &r->call);
    r->call.workspace = hn_tensor_absent();
    if (bytes > 0) {
        uint64_t buffer = 0;
        ok(hn_buffer_create(r->device, bytes, &buffer));
        r->call.workspace = hn_tensor_1(buffer, 0, HONE_U8, (int64_t)bytes);
    }
}

/* The backward wants o and lse that belong to its q, k and v. */
static void run_forward(run *r) {
    static const int from[] = {HONE_ATTENTION_BACKWARD_Q,     HONE_ATTENTION_BACKWARD_K,
                               HONE_ATTENTION_BACKWARD_V,     HONE_ATTENTION_BACKWARD_SEGMENT,
                               HONE_ATTENTION_BACKWARD_RANGE, HONE_ATTENTION_BACKWARD_O,
                               HONE_ATTENTION_BACKWARD_LSE};
    hone_tensor operand[HONE_ATTENTION_OPERANDS];
    hone_call call = {.operand = operand, .params = r->problem->params, .workspace = r->call.workspace};
    for (int i = 0; i < HONE_ATTENTION_OPERANDS; i++) {
        operand[i] = r->operand[from[i]];
    }
    ok(hn_run(r->device, HONE_OP_ATTENTION, &call));
}

static result collect(run *r) {
    result out = {0};
    for (int i = 0; i < r->about->operands; i++) {
        if (r->about->operand[i].direction == HN_IN) {
            continue;
        }
        size_t bytes = bytes_of(&r->operand[i]);
        out.data = realloc(out.data, out.count * sizeof(float) + bytes + 8);
        assert_non_null(out.data);
        ok(hn_download(r->device, out.data + out.count, r->operand[i].buffer, 0, bytes));
        if (r->operand[i].dtype == HONE_F64) {
            double value;
            memcpy(&value, out.data + out.count, sizeof value);
            out.data[out.count] = (float)value; /* the other half stays, for comparing bits */
            out.data[out.count + 1] = (float)(value - (double)(float)value);
        }
        out.count += bytes / sizeof(float);
    }
    return out;
}

static result solve(hone_device *device, const problem *p) {
    run r = {.device = device, .problem = p, .about = hn_operation_describe(p->operation)};
    pack made = make_pack(p->extent['T']);
    problem with_pack = *p;
    uint32_t seed = 12345u + (uint32_t)p->operation;
    with_pack.extent['S'] = made.segments;
    with_pack.extent['G'] = made.ranges;
    r.problem = &with_pack;
    r.call = (hone_call){.operand = r.operand, .params = p->params, .accumulate = p->accumulate};
    for (int i = 0; i < r.about->operands; i++) {
        r.operand[i] = shape_of(r.problem, &r.about->operand[i]);
        fill_operand(&r, i, &made, &seed);
    }
    make_workspace(&r);
    if (p->operation == HONE_OP_ATTENTION_BACKWARD) {
        run_forward(&r);
    }
    ok(hn_run(device, p->operation, &r.call));
    result out = collect(&r);
    for (int i = 0; i < r.about->operands; i++) {
        hn_buffer_destroy(device, r.operand[i].buffer);
    }
    hn_buffer_destroy(device, r.call.workspace.buffer);
    return out;
}

/* ---- the problems ---- */

static const hone_norm_params norm = {.epsilon = 1e-5};
static const hone_scale_params scale = {.scale = 0.75};
static const hone_rotary_params rotary = {.scale = 1.0}, rotary_back = {.scale = 0.5, .inverse = 1};
static const hone_dropout_params dropout = {.probability = 0.1, .seed = 77, .step = 3, .stream = 9};
static const hone_adamw_params adamw = {.lr = 1e-3,
                                        .beta1 = 0.9,
                                        .beta2 = 0.999,
                                        .epsilon = 1e-8,
                                        .weight_decay = 0.1,
                                        .gradient_scale = 0.5,
                                        .step = 7};
static const hone_fill_params seven = {.value = 7.0};

#define SHAPE(t, d, h, k, n)                                                                                 \
    {                                                                                                        \
        ['T'] = (t), ['D'] = (d), ['H'] = (h), ['K'] = (k), ['N'] = (n), ['F'] = (d), ['V'] = 301,           \
        ['I'] = (d), ['O'] = (d) + 3, ['C'] = (t), ['U'] = ((t) + 1) / 2, ['E'] = (t), ['W'] = (t) * (d)     \
    }
#define SHAPES(operation, params, accumulate)                                                                \
    {operation, SHAPE(1, 1, 1, 1, 2), params, accumulate, 0},                                                \
        {operation, SHAPE(7, 13, 3, 1, 6), params, accumulate, 5},                                           \
        {operation, SHAPE(67, 130, 6, 2, 64), params, accumulate, 0},                                        \
        {operation, SHAPE(301, 515, 8, 8, 20), params, accumulate, 0}, {                                     \
        operation, SHAPE(150, 576, 9, 3, 34), params, accumulate, 3                                          \
    }
#define BIT(operand) (1u << (operand))

static const problem problems[] = {
    SHAPES(HONE_OP_EMBEDDING, NULL, 0),
    SHAPES(HONE_OP_EMBEDDING_BACKWARD, NULL, 0),
    SHAPES(HONE_OP_EMBEDDING_BACKWARD, NULL, BIT(HONE_EMBEDDING_BACKWARD_DTABLE)),
    SHAPES(HONE_OP_RMS_NORM, &norm, 0),
    SHAPES(HONE_OP_RMS_NORM_BACKWARD, &norm, 0),
    SHAPES(HONE_OP_RMS_NORM_BACKWARD, &norm,
           BIT(HONE_RMS_NORM_BACKWARD_DX) | BIT(HONE_RMS_NORM_BACKWARD_DGAIN)),
    SHAPES(HONE_OP_LINEAR, &scale, 0),
    SHAPES(HONE_OP_LINEAR_BACKWARD, &scale, BIT(HONE_LINEAR_BACKWARD_DW)),
    SHAPES(HONE_OP_ROTARY, &rotary, 0),
    SHAPES(HONE_OP_ROTARY, &rotary_back, BIT(HONE_ROTARY_Y)),
    SHAPES(HONE_OP_ATTENTION, &scale, 0),
    SHAPES(HONE_OP_ATTENTION_BACKWARD, &scale, 0),
    SHAPES(HONE_OP_SWIGLU, NULL, 0),
    SHAPES(HONE_OP_SWIGLU_BACKWARD, NULL, 0),
    SHAPES(HONE_OP_ADD, NULL, 0),
    SHAPES(HONE_OP_DROPOUT, &dropout, 0),
    SHAPES(HONE_OP_DROPOUT, &dropout, BIT(HONE_DROPOUT_Y)),
    SHAPES(HONE_OP_GATHER_ROWS, NULL, 0),
    SHAPES(HONE_OP_HEAD_LOGP, NULL, 0),
    SHAPES(HONE_OP_HEAD_LOGP_BACKWARD, NULL, 0),
    SHAPES(HONE_OP_ADAMW, &adamw, 0),
    SHAPES(HONE_OP_SUM_SQUARES, NULL, 0),
    SHAPES(HONE_OP_SUM_SQUARES, NULL, BIT(HONE_SUM_SQUARES_OUT)),
    SHAPES(HONE_OP_FILL, &seven, 0),
    SHAPES(HONE_OP_CAST, NULL, 0),
    SHAPES(HONE_OP_SCATTER_ROWS, NULL, 0),
};
enum { PROBLEMS = sizeof problems / sizeof problems[0] };

static const char *describe(const problem *p) {
    static char text[128];
    (void)snprintf(text, sizeof text, "%s T=%d D=%d H=%d K=%d N=%d acc=%u",
                   hn_operation_describe(p->operation)->name, (int)p->extent['T'], (int)p->extent['D'],
                   (int)p->extent['H'], (int)p->extent['K'], (int)p->extent['N'], p->accumulate);
    return text;
}

/* ---- comparisons ---- */

static void expect_bits(const result *a, const result *b, const problem *p, const char *what) {
    assert_int_equal(a->count, b->count);
    if (memcmp(a->data, b->data, a->count * sizeof(float)) != 0) {
        fail_msg("%s: other bits: %s", describe(p), what);
    }
}

static void expect_close(const result *a, const result *b, const problem *p, const char *what) {
    double largest = 0.0;
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        largest = fabs((double)a->data[i]) > largest ? fabs((double)a->data[i]) : largest;
    }
    for (size_t i = 0; i < a->count; i++) {
        bool neither = isnan(a->data[i]) && isnan(b->data[i]); /* between rows */
        if (!neither && !(fabs((double)a->data[i] - (double)b->data[i]) <= 1e-4 * largest + 1e-30)) {
            fail_msg("%s, %s: element %zu is %g, scalar %g", describe(p), what, i, (double)b->data[i],
                     (double)a->data[i]);
        }
    }
}

static hone_device *open_as(const char *isa, const char *dtype, int threads) {
    hone_device_options options = {.threads = threads, .isa = isa, .dtype = dtype};
    hone_device *device = NULL;
    hone_status status = hone_device_open("cpu", &options, &device);
    if (status == HONE_ERROR_UNSUPPORTED) {
        return NULL;
    }
    ok(status);
    return device;
}

static hone_device *open_isa(const char *isa, int threads) { return open_as(isa, "f32", threads); }

static const char *const isas[] = {"scalar", "avx2", "avx512", "avx512bf16"};

static void threads_do_not_change_bits(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        hone_device *one = open_as(isas[i], "bf16", 1), *two = open_as(isas[i], "bf16", 2);
        hone_device *five = open_as(isas[i], "bf16", 5);
        for (int k = 0; one != NULL && k < PROBLEMS; k++) {
            result a = solve(one, &problems[k]), b = solve(two, &problems[k]), c = solve(five, &problems[k]);
            result again = solve(two, &problems[k]);
            expect_bits(&a, &b, &problems[k], "two threads");
            expect_bits(&a, &c, &problems[k], "five threads");
            expect_bits(&a, &again, &problems[k], "once more");
            free(a.data);
            free(b.data);
            free(c.data);
            free(again.data);
        }
        hone_device_close(one);
        hone_device_close(two);
        hone_device_close(five);
    }
}

static void instruction_sets_agree(void **state) {
    (void)state;
    hone_device *scalar = open_isa("scalar", 2);
    for (int i = 1; i < 3; i++) {
        hone_device *device = open_isa(isas[i], 2);
        for (int k = 0; device != NULL && k < PROBLEMS; k++) {
            result a = solve(scalar, &problems[k]), b = solve(device, &problems[k]);
            expect_close(&a, &b, &problems[k], isas[i]);
            free(a.data);
            free(b.data);
        }
        hone_device_close(device);
    }
    hone_device_close(scalar);
}

/* Thin products gain nothing from rounding, and are not: a linear's backward is three, of which one may be thin. */
static bool thin(const problem *p) {
    const int64_t *e = p->extent;
    const bool head = p->operation == HONE_OP_HEAD_LOGP || p->operation == HONE_OP_HEAD_LOGP_BACKWARD;
    const bool linear = p->operation == HONE_OP_LINEAR || p->operation == HONE_OP_LINEAR_BACKWARD;
    return (linear && (e['T'] <= 32 || e['I'] <= 32 || e['O'] <= 32)) ||
           (head && (e['U'] <= 32 || e['D'] <= 32 || e['V'] <= 32));
}

/* Whether it multiplies matrices. */
static bool multiplies(const problem *p) {
    return p->operation == HONE_OP_LINEAR || p->operation == HONE_OP_LINEAR_BACKWARD ||
           p->operation == HONE_OP_ATTENTION || p->operation == HONE_OP_ATTENTION_BACKWARD ||
           p->operation == HONE_OP_HEAD_LOGP || p->operation == HONE_OP_HEAD_LOGP_BACKWARD;
}

/* Rounded only where the level has such products, and there all of them (but for thin ones, and attention of one
   query, as in decoding), and nothing else. */
static void products_are_of_the_dtype(void **state) {
    (void)state;
    for (int i = 2; i < 4; i++) {
        hone_device *full = open_as(isas[i], "f32", 2), *rounded = open_as(isas[i], "bf16", 2);
        for (int k = 0; full != NULL && k < PROBLEMS; k++) {
            const problem *p = &problems[k];
            result a = solve(full, p), b = solve(rounded, p);
            if (i == 2 || !multiplies(p)) {
                expect_bits(&a, &b, p, "nothing to round");
            } else if (p->extent['T'] > 1 && !thin(p) &&
                       memcmp(a.data, b.data, a.count * sizeof(float)) == 0) {
                fail_msg("%s: not rounded", describe(p));
            }
            free(a.data);
            free(b.data);
        }
        hone_device_close(full);
        hone_device_close(rounded);
    }
}

static void faraway_gives_scalar_bits(void **state) {
    (void)state;
    hone_device *scalar = open_isa("scalar", 1), *faraway = NULL;
    hone_device_options options = {.threads = 2};
    ok(hone_device_open("faraway", &options, &faraway));
    for (int k = 0; k < PROBLEMS; k++) {
        result a = solve(scalar, &problems[k]), b = solve(faraway, &problems[k]);
        expect_bits(&a, &b, &problems[k], "faraway");
        free(a.data);
        free(b.data);
    }
    hone_device_close(faraway);
    hone_device_close(scalar);
}

static void options_are_checked(void **state) {
    (void)state;
    hone_device_options options = {.threads = 1, .isa = "z80"};
    hone_device *device = NULL;
    assert_int_equal(hone_device_open("cpu", &options, &device), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "z80"));
    assert_null(device);
    options.isa = "scalar";
    ok(hone_device_open("cpu", &options, &device));
    assert_non_null(strstr(hone_device_numerics(device), "scalar"));
    hone_device_close(device);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_change_bits), cmocka_unit_test(instruction_sets_agree),
        cmocka_unit_test(products_are_of_the_dtype),  cmocka_unit_test(faraway_gives_scalar_bits),
        cmocka_unit_test(options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
