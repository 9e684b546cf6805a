#include "case.h"

#include "execute.h"
#include "oracle/oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const operation_names[HONE_OP_COUNT + 1] = {
    [HONE_OP_EMBEDDING] = "embedding",
    [HONE_OP_EMBEDDING_BACKWARD] = "embedding_backward",
    [HONE_OP_RMS_NORM] = "rms_norm",
    [HONE_OP_RMS_NORM_BACKWARD] = "rms_norm_backward",
    [HONE_OP_LINEAR] = "linear",
    [HONE_OP_LINEAR_BACKWARD] = "linear_backward",
    [HONE_OP_ROTARY] = "rotary",
    [HONE_OP_ATTENTION] = "attention",
    [HONE_OP_ATTENTION_BACKWARD] = "attention_backward",
    [HONE_OP_SWIGLU] = "swiglu",
    [HONE_OP_SWIGLU_BACKWARD] = "swiglu_backward",
    [HONE_OP_ADD] = "add",
    [HONE_OP_DROPOUT] = "dropout",
    [HONE_OP_GATHER_ROWS] = "gather_rows",
    [HONE_OP_HEAD_LOGP] = "head_logp",
    [HONE_OP_HEAD_LOGP_BACKWARD] = "head_logp_backward",
    [HONE_OP_ADAMW] = "adamw",
    [HONE_OP_SUM_SQUARES] = "sum_squares",
    [HONE_OP_FILL] = "fill",
    [HONE_OP_CAST] = "cast",
    [HONE_OP_SCATTER_ROWS] = "scatter_rows",
    [CF_COPIES] = "copies",
};

const char *cf_operation_name(hone_operation operation) { return operation_names[operation]; }

const char *cf_dtype_name(int32_t dtype) {
    static const char *const names[HONE_DTYPE_COUNT] = {
        [HONE_F32] = "f32", [HONE_F64] = "f64", [HONE_F16] = "f16", [HONE_BF16] = "bf16",
        [HONE_I32] = "i32", [HONE_U8] = "u8",   [HONE_Q8] = "q8",
    };
    return dtype >= 0 && dtype < HONE_DTYPE_COUNT ? names[dtype] : "?";
}

/* ---- random numbers: splitmix64 ---- */

uint64_t cf_bits(cf_random *random) {
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

double cf_uniform(cf_random *random) { return (double)(cf_bits(random) >> 11) * 0x1p-53; }

int64_t cf_between(cf_random *random, int64_t first, int64_t last) {
    return first + (int64_t)(cf_bits(random) % (uint64_t)(last - first + 1));
}

double cf_normal(cf_random *random) {
    double sum = 0;

    for (int i = 0; i < 4; i++)
        sum += cf_uniform(random) - 0.5;
    return sum * sqrt(3.0);
}

/* ---- shapes ---- */

cf_shape cf_shape1(int64_t a) { return (cf_shape){1, {a, 1, 1, 1}}; }
cf_shape cf_shape2(int64_t a, int64_t b) { return (cf_shape){2, {a, b, 1, 1}}; }
cf_shape cf_shape3(int64_t a, int64_t b, int64_t c) { return (cf_shape){3, {a, b, c, 1}}; }

int64_t cf_width(const cf_shape *shape) {
    int64_t width = 1;

    for (int i = 1; i < shape->rank; i++)
        width *= shape->extent[i];
    return width;
}

int64_t cf_count(const cf_shape *shape) { return shape->extent[0] * cf_width(shape); }

int64_t cf_extent(const cf_case *it, int operand, int dimension) {
    return it->operand[operand].shape.extent[dimension];
}

/* ---- building ---- */

/* A test program without memory can say nothing useful any more. */
static double *zeros(int64_t count) {
    double *value = calloc((size_t)count + 1, sizeof *value);

    if (value == NULL)
        abort();
    return value;
}

void cf_case_begin(cf_case *it, hone_operation operation, int number, int32_t dtype, uint64_t seed) {
    *it = (cf_case){.operation = operation, .number = number, .dtype = dtype, .storage = dtype};
    it->operands = oracle_operations[operation].operands;
    it->random.state = seed;
    it->random.state = cf_bits(&it->random) ^ (uint64_t)operation << 32 ^ (uint64_t)number;
    for (int i = 0; i < HONE_MAX_OPERANDS; i++)
        it->operand[i].alias = -1;
}

void cf_case_end(cf_case *it) {
    for (int i = 0; i < it->operands; i++) {
        free(it->operand[i].value);
        free(it->operand[i].want);
        free(it->operand[i].bound);
    }
    *it = (cf_case){0};
}

static cf_operand *declare(cf_case *it, int operand, cf_shape shape, int32_t dtype) {
    cf_operand *o = &it->operand[operand];

    o->present = true;
    o->dtype = dtype;
    o->shape = shape;
    o->value = zeros(cf_count(&shape));
    return o;
}

static void randomize(cf_case *it, double *value, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        value[i] = cf_normal(&it->random);
}

double *cf_input(cf_case *it, int operand, cf_shape shape) {
    cf_operand *o = declare(it, operand, shape, it->dtype);

    randomize(it, o->value, cf_count(&shape));
    return o->value;
}

double *cf_weights(cf_case *it, int operand, cf_shape shape) {
    double *value = cf_input(it, operand, shape);

    it->operand[operand].dtype = it->storage;
    return value;
}

double *cf_index(cf_case *it, int operand, cf_shape shape) {
    return declare(it, operand, shape, HONE_I32)->value;
}

void cf_output(cf_case *it, int operand, cf_shape shape, bool accumulate) {
    cf_operand *o = declare(it, operand, shape, it->dtype);

    o->output = true;
    o->want = zeros(cf_count(&shape));
    o->bound = zeros(cf_count(&shape));
    o->keeps = accumulate;
    if (accumulate) {
        it->accumulate |= 1u << operand;
        randomize(it, o->value, cf_count(&shape));
    }
}

double *cf_in_out(cf_case *it, int operand, cf_shape shape) {
    cf_operand *o = &it->operand[operand];

    cf_output(it, operand, shape, false);
    o->keeps = true;
    randomize(it, o->value, cf_count(&shape));
    return o->value;
}

void cf_alias(cf_case *it, int output, int input) { it->operand[output].alias = input; }

void cf_multiply(double *value, int64_t count, double factor) {
    for (int64_t i = 0; i < count; i++)
        value[i] *= factor;
}

/* ---- what must come out ---- */

static void round_values(cf_operand *o) {
    const int64_t count = cf_count(&o->shape), width = cf_width(&o->shape);
    uint64_t place = 0;

    for (int64_t i = 0; o->dtype == HONE_Q8 && i < count; i += width)
        oracle_round_q8(o->value + i, width);
    for (int64_t i = 0; o->dtype != HONE_Q8 && i < count; i++) {
        oracle_put(o->dtype, &place, o->value[i]);
        o->value[i] = oracle_get(o->dtype, &place);
    }
}

bool cf_expect(cf_case *it) {
    for (int i = 0; i < it->operands; i++) {
        if (it->operand[i].present)
            round_values(&it->operand[i]);
    }
    return cf_execute_oracle(it);
}

static void make_absolute(cf_case *it) {
    for (int i = 0; i < it->operands; i++) {
        const cf_operand *o = &it->operand[i];
        for (int64_t j = 0; o->present && j < cf_count(&o->shape); j++)
            o->value[j] = fabs(o->value[j]);
    }
    if (it->operation == HONE_OP_LINEAR || it->operation == HONE_OP_LINEAR_BACKWARD)
        it->params.scale.scale = fabs(it->params.scale.scale);
}

bool cf_magnitudes(cf_case *it) {
    cf_case absolute = *it;
    bool done = true;

    for (int i = 0; i < it->operands; i++) {
        const cf_operand *o = &it->operand[i];
        if (!o->present)
            continue;
        absolute.operand[i].value = zeros(cf_count(&o->shape));
        memcpy(absolute.operand[i].value, o->value, (size_t)cf_count(&o->shape) * sizeof(double));
        absolute.operand[i].want = o->bound; /* magnitudes land where the bounds will be */
    }
    make_absolute(&absolute);
    done = cf_execute_oracle(&absolute);
    for (int i = 0; i < it->operands; i++) {
        if (it->operand[i].present)
            free(absolute.operand[i].value);
    }
    return done;
}
