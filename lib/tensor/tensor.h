/**
 * Tensor values and the conversions between element types. See hone/backend.h for the letters
 * T D H K N F V R C S G U E and for what a tensor is.
 */
#ifndef HN_TENSOR_TENSOR_H
#define HN_TENSOR_TENSOR_H

#include <hone/backend.h>
#include <stdbool.h>

/** Contiguous, at the buffer's `offset`. Unused extents become 1. */
hone_tensor hn_tensor_1(uint64_t buffer, uint64_t offset, hone_dtype dtype, int64_t a);
hone_tensor hn_tensor_2(uint64_t buffer, uint64_t offset, hone_dtype dtype, int64_t a, int64_t b);
hone_tensor hn_tensor_3(uint64_t buffer, uint64_t offset, hone_dtype dtype, int64_t a, int64_t b, int64_t c);
hone_tensor hn_tensor_absent(void);
bool hn_tensor_present(const hone_tensor *tensor);

int64_t hn_tensor_elements(const hone_tensor *tensor);
/** Elements in one row: the product of extents 1.. */
int64_t hn_tensor_row_elements(const hone_tensor *tensor);
/** The smallest row stride: that, and in Q8 a row's scales. */
int64_t hn_tensor_row_stride(const hone_tensor *tensor);
/** Bytes from element 0 to one past the last element (strides included); 0 when empty. Checked: false on
 * overflow. */
bool hn_tensor_span(const hone_tensor *tensor, uint64_t *bytes);
bool hn_tensor_contiguous(const hone_tensor *tensor);
/** The same elements at the same addresses in the same order. */
bool hn_tensor_same_place(const hone_tensor *a, const hone_tensor *b);
/** Rows [begin, begin + count) of a tensor. */
hone_tensor hn_tensor_rows(hone_tensor tensor, int64_t begin, int64_t count);
/** The same elements, contiguous, with other extents of the same product. */
hone_tensor hn_tensor_shape(hone_tensor tensor, int rank, const int64_t *extent);
/** "f32[576,64]" into `text`. */
void hn_tensor_describe(const hone_tensor *tensor, char *text, size_t size);

/** Rounds up to HONE_BUFFER_ALIGNMENT; false on overflow. */
bool hn_align(uint64_t bytes, uint64_t *aligned);

/** Host-side conversion of `count` elements between F32, F64, F16 and BF16 (to nearest even; NaN stays NaN).
 */
hone_status hn_convert(hone_dtype from, const void *source, hone_dtype to, void *destination, size_t count);

/** A row to Q8 and back (hone_q8_row bytes): the scale of a block is its largest magnitude / 127, rounded to F16; steps
 *  to nearest even. */
void hn_q8_encode(const float *row, int64_t columns, void *bytes);
void hn_q8_decode(const void *bytes, int64_t columns, float *row);

#endif
