#include <bench/linear.h>
#include <core/memory.h>
#include <core/random.h>
#include <core/status.h>
#include <dispatch/profile.h>
#include <tensor/tensor.h>

/** Rows of the embedding table; numbers that weights repeat after. */
enum { ROWS = 16, BUFFERS = 6, NUMBERS = 4096 };

struct hn_linear_bench {
    hone_device *device;
    hn_program *program;
    uint64_t buffer[BUFFERS];
    int buffers;
    int32_t *tokens;
};

/** A matrix of random numbers, or one for derivatives. */
static hone_status make_matrix(hn_linear_bench *b, int64_t rows, int64_t columns, bool random,
                               hone_tensor *out) {
    const hone_dtype dtype = hn_device_compute(b->device);
    size_t elements = 0, bytes = 0;
    float numbers[NUMBERS];
    uint64_t *buffer = &b->buffer[b->buffers];
    char converted[NUMBERS * sizeof(double)];

    if (!hn_mul_size((size_t)rows, (size_t)columns, &elements) ||
        !hn_mul_size(elements, hone_dtype_size(dtype), &bytes))
        return hn_fail(HONE_ERROR_MEMORY, "a matrix of %lld by %lld overflows", (long long)rows,
                       (long long)columns);
    HN_TRY(hn_buffer_create(b->device, bytes, buffer));
    b->buffers++;
    *out = hn_tensor_2(*buffer, 0, dtype, rows, columns);
    if (!random)
        return HONE_OK;
    for (uint64_t i = 0; i < NUMBERS; i++)
        numbers[i] = 0.02f * (float)hn_random_normal(0, HN_PURPOSE_TEST, (uint32_t)b->buffers, i);
    HN_TRY(hn_convert(HONE_F32, numbers, dtype, converted, NUMBERS));
    for (size_t at = 0; at < elements; at += NUMBERS) {
        const size_t count = elements - at < NUMBERS ? elements - at : NUMBERS;
        HN_TRY(hn_upload(b->device, *buffer, at * hone_dtype_size(dtype), converted,
                         count * hone_dtype_size(dtype)));
    }
    return HONE_OK;
}

static hone_status make_parameter(hn_linear_bench *b, const char *name, int64_t rows, int64_t columns,
                                  bool wanted, hn_value *out) {
    hone_tensor value, gradient = hn_tensor_absent();

    HN_TRY(make_matrix(b, rows, columns, true, &value));
    if (wanted)
        HN_TRY(make_matrix(b, rows, columns, false, &gradient));
    *out = hn_program_parameter(b->program, name, &value, &gradient);
    return HONE_OK;
}

static hone_status record(hn_linear_bench *b, int64_t tokens, int64_t inputs, int64_t outputs, bool weight) {
    const hn_extent t = hn_fixed(tokens), one = hn_fixed(1), two = hn_fixed(2);
    const int32_t begin_data[2] = {0, 1}, zero = 0;
    const float derivative = 1.0f;
    hn_value table = HN_NONE, w = HN_NONE, head = HN_NONE;
    hn_program *p = b->program;

    HN_TRY(make_parameter(b, "table", ROWS, inputs, !weight, &table));
    HN_TRY(make_parameter(b, "weight", outputs, inputs, weight, &w));
    HN_TRY(make_parameter(b, "head", 2, outputs, false, &head));
    const hn_value token = hn_program_input(p, "token", HONE_I32, 1, &t),
                   row = hn_program_input(p, "row", HONE_I32, 1, &one),
                   begin = hn_program_input(p, "begin", HONE_I32, 1, &two),
                   target = hn_program_input(p, "target", HONE_I32, 1, &one);
    const hn_value x = hn_record_embedding(p, table, token);
    const hn_value y = hn_record_linear(p, x, w, HN_NONE, 1.0, HN_NONE);
    hn_program_output(p, hn_record_head_logp(p, y, head, row, begin, target));
    HN_TRY(hn_program_finish(p));
    HN_TRY(hn_program_upload(p, token, b->tokens));
    HN_TRY(hn_program_upload(p, row, &zero));
    HN_TRY(hn_program_upload(p, begin, begin_data));
    HN_TRY(hn_program_upload(p, target, &zero));
    return hn_program_seed(p, &derivative);
}

hone_status hn_linear_bench_create(hone_device *device, int64_t tokens, int64_t inputs, int64_t outputs,
                                   bool weight, hn_linear_bench **out) {
    const int64_t budget[HN_SYMBOL_COUNT] = {0};
    hn_linear_bench *b = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&b, 1, sizeof *b, "product"));
    b->device = device;
    HN_GO(hn_alloc(&b->tokens, (size_t)tokens, sizeof *b->tokens, "tokens"));
    for (int64_t i = 0; i < tokens; i++)
        b->tokens[i] = (int32_t)(i % ROWS);
    HN_GO(hn_program_create(device, hn_device_compute(device), true, budget, &b->program));
    HN_GO(record(b, tokens, inputs, outputs, weight));
    *out = b;
    b = NULL;
done:
    hn_linear_bench_destroy(b);
    return status;
}

void hn_linear_bench_destroy(hn_linear_bench *b) {
    if (b == NULL)
        return;
    hn_program_destroy(b->program);
    for (int i = 0; i < b->buffers; i++)
        hn_buffer_destroy(b->device, b->buffer[i]);
    hn_free(b->tokens);
    hn_free(b);
}

hone_status hn_linear_bench_run(hn_linear_bench *b, double *forward, double *backward) {
    hn_profile profile = {0};

    hn_device_set_profile(b->device, &profile);
    hone_status status = hn_program_forward(b->program);
    if (status == HONE_OK)
        status = hn_program_backward(b->program, false);
    hn_device_set_profile(b->device, NULL);
    *forward = profile.seconds[HONE_OP_LINEAR];
    *backward = profile.seconds[HONE_OP_LINEAR_BACKWARD];
    return status;
}
