#include <core/memory.h>
#include <stdio.h>
#include <string.h>
#include <tensor/tensor.h>

/** Extents may come from a file: a product that does not fit is INT64_MAX, which no buffer holds. */
static int64_t multiply(int64_t a, int64_t b) {
    int64_t product = 0;
    return hn_mul_i64(a, b, &product) ? product : INT64_MAX;
}

static hone_tensor make(uint64_t buffer, uint64_t offset, hone_dtype dtype, int rank, int64_t a, int64_t b,
                        int64_t c) {
    return (hone_tensor){.buffer = buffer,
                         .offset = offset,
                         .dtype = (int32_t)dtype,
                         .rank = rank,
                         .extent = {a, b, c, 1},
                         .row_stride = dtype == HONE_Q8 ? hone_q8_row(multiply(b, c)) : multiply(b, c)};
}

hone_tensor hn_tensor_1(uint64_t buffer, uint64_t offset, hone_dtype dtype, int64_t a) {
    return make(buffer, offset, dtype, 1, a, 1, 1);
}

hone_tensor hn_tensor_2(uint64_t buffer, uint64_t offset, hone_dtype dtype, int64_t a, int64_t b) {
    return make(buffer, offset, dtype, 2, a, b, 1);
}

hone_tensor hn_tensor_3(uint64_t buffer, uint64_t offset, hone_dtype dtype, int64_t a, int64_t b, int64_t c) {
    return make(buffer, offset, dtype, 3, a, b, c);
}

hone_tensor hn_tensor_absent(void) { return (hone_tensor){.rank = 1, .extent = {0, 1, 1, 1}}; }

bool hn_tensor_present(const hone_tensor *tensor) { return tensor->buffer != 0; }

int64_t hn_tensor_row_elements(const hone_tensor *tensor) {
    int64_t elements = 1;
    for (int d = 1; d < tensor->rank; d++)
        elements = multiply(elements, tensor->extent[d]);
    return elements;
}

int64_t hn_tensor_row_stride(const hone_tensor *tensor) {
    const int64_t elements = hn_tensor_row_elements(tensor);
    const int64_t bytes = tensor->dtype == HONE_Q8 ? hone_q8_row(elements) : elements;
    return bytes < 0 ? INT64_MAX : bytes;
}

int64_t hn_tensor_elements(const hone_tensor *tensor) {
    return multiply(tensor->extent[0], hn_tensor_row_elements(tensor));
}

bool hn_tensor_span(const hone_tensor *tensor, uint64_t *bytes) {
    int64_t row = 1, before = 0, elements = 0;
    size_t span = 0;

    for (int d = 1; d < tensor->rank; d++)
        if (!hn_mul_i64(row, tensor->extent[d], &row))
            return false;
    *bytes = 0;
    if (tensor->extent[0] == 0 || row == 0)
        return true;
    if (tensor->dtype == HONE_Q8)
        row = hone_q8_row(row);
    if (row < 0 || !hn_mul_i64(tensor->extent[0] - 1, tensor->row_stride, &before) ||
        !hn_add_i64(before, row, &elements) || elements < 0 ||
        !hn_mul_size((size_t)elements, hone_dtype_size((hone_dtype)tensor->dtype), &span))
        return false;
    *bytes = span;
    return true;
}

bool hn_tensor_contiguous(const hone_tensor *tensor) {
    return tensor->extent[0] <= 1 || tensor->row_stride == hn_tensor_row_stride(tensor);
}

bool hn_tensor_same_place(const hone_tensor *a, const hone_tensor *b) {
    if (a->buffer != b->buffer || a->offset != b->offset || a->dtype != b->dtype || a->rank != b->rank)
        return false;
    for (int d = 0; d < a->rank; d++)
        if (a->extent[d] != b->extent[d])
            return false;
    return a->extent[0] <= 1 || a->row_stride == b->row_stride;
}

hone_tensor hn_tensor_rows(hone_tensor tensor, int64_t begin, int64_t count) {
    tensor.offset += (uint64_t)(begin * tensor.row_stride) * hone_dtype_size((hone_dtype)tensor.dtype);
    tensor.extent[0] = count;
    return tensor;
}

hone_tensor hn_tensor_shape(hone_tensor tensor, int rank, const int64_t *extent) {
    tensor.rank = rank;
    for (int d = 0; d < HONE_MAX_RANK; d++)
        tensor.extent[d] = d < rank ? extent[d] : 1;
    tensor.row_stride = hn_tensor_row_stride(&tensor);
    return tensor;
}

void hn_tensor_describe(const hone_tensor *tensor, char *text, size_t size) {
    size_t at = (size_t)snprintf(text, size, "%s[", hone_dtype_name((hone_dtype)tensor->dtype));
    for (int d = 0; d < tensor->rank && d < HONE_MAX_RANK && at < size; d++)
        at +=
            (size_t)snprintf(text + at, size - at, "%s%lld", d > 0 ? "," : "", (long long)tensor->extent[d]);
    if (at < size)
        (void)snprintf(text + at, size - at, "]");
}

bool hn_align(uint64_t bytes, uint64_t *aligned) {
    const uint64_t mask = HONE_BUFFER_ALIGNMENT - 1;
    if (bytes > UINT64_MAX - mask)
        return false;
    *aligned = (bytes + mask) & ~mask;
    return true;
}
