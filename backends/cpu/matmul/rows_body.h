/**
 * The body of rows.h, written once. The including file gives, for its instruction set: LANES, vec, load (a row of any
 * storage), vec_zero, vec_load, vec_load_part, vec_store, vec_store_part, vec_fma, SUMS (an array's size), WIDEST (rows of b at most), and
 * store_sums(s, count, out), which writes the sum of the lanes of each register.
 */

/* One register of each row. */
static inline __attribute__((always_inline)) void add_products(int wide, int tall, hone_dtype dtype,
                                                               const hn_cpu_row *w, const float *const *x,
                                                               int64_t p, int64_t n, vec *s) {
    vec xv[4];
    HN_CPU_UNROLL
    for (int j = 0; j < tall; j++) {
        xv[j] = n >= LANES ? vec_load(x[j] + p) : vec_load_part(x[j] + p, (int)n);
    }
    HN_CPU_UNROLL
    for (int i = 0; i < wide; i++) {
        vec wv = load(w[i], dtype, p, n);
        HN_CPU_UNROLL
        for (int j = 0; j < tall; j++) {
            s[i * tall + j] = vec_fma(wv, xv[j], s[i * tall + j]);
        }
    }
}

/* `wide`, `tall` and `dtype` are constants where this is inlined; the rows that will be read next lie `ahead` bytes
   further and are fetched on the way. */
static inline __attribute__((always_inline)) void dots(int wide, int tall, hone_dtype dtype, int64_t k,
                                                       const hn_cpu_row *w, const float *const *x,
                                                       uintptr_t ahead, float *out) {
    const int64_t size = (int64_t)hn_cpu_element_size(dtype), line = 64 / size;
    vec s[SUMS];
    int64_t p = 0;
    HN_CPU_UNROLL
    for (int i = 0; i < wide * tall; i++) {
        s[i] = vec_zero();
    }
    for (; p + line <= k; p += line) {
        HN_CPU_UNROLL
        for (int i = 0; i < wide; i++) {
            _mm_prefetch((const char *)((uintptr_t)w[i].data + (uintptr_t)(p * size) + ahead), _MM_HINT_T0);
        }
        HN_CPU_UNROLL
        for (int64_t q = 0; q < line; q += LANES) {
            add_products(wide, tall, dtype, w, x, p + q, LANES, s);
        }
    }
    for (; p < k; p += LANES) {
        add_products(wide, tall, dtype, w, x, p, k - p, s);
    }
    store_sums(s, wide * tall, out);
}

/* `wide` columns against all rows of a. */
static inline __attribute__((always_inline)) void multiply_columns(const hn_cpu_product *product,
                                                                   hone_dtype dtype, int wide, int tall,
                                                                   int64_t column, const hn_cpu_row *w,
                                                                   uintptr_t ahead) {
    float out[SUMS];
    for (int64_t row = 0; row < product->m; row += tall) {
        const float *x[4];
        for (int j = 0; j < tall; j++) {
            x[j] = hn_cpu_rows_left(product, row + j);
        }
        dots(wide, tall, dtype, product->k, w, x, ahead, out);
        hn_cpu_rows_store(product, row, tall, column, wide, out);
    }
}

/* Rows of b as floats, one after the other in `to`. */
static inline __attribute__((always_inline)) void widen_rows(const hn_cpu_product *product, hone_dtype dtype,
                                                             int wide, hn_cpu_row *w, uintptr_t ahead,
                                                             float *to) {
    for (int i = 0; i < wide; i++, to += product->k) {
        for (int64_t p = 0; p < product->k; p += LANES) {
            const int64_t left = product->k - p;
            const uintptr_t at = (uintptr_t)w[i].data + (uintptr_t)p * hn_cpu_element_size(dtype);
            _mm_prefetch((const char *)(at + ahead), _MM_HINT_T0);
            vec x = load(w[i], dtype, p, left);
            if (left >= LANES) {
                vec_store(to + p, x);
            } else {
                vec_store_part(to + p, x, (int)left);
            }
        }
        w[i] = (hn_cpu_row){.data = to};
    }
}

/* Stored weights that several groups of rows read are widened once for all of them, which gives the same bits. */
static inline __attribute__((always_inline)) void
multiply_shape(const hn_cpu_product *product, hone_dtype dtype, int wide, int tall, void *scratch) {
    const uintptr_t ahead = (uintptr_t)(wide * product->b.ld) * hn_cpu_element_size(dtype);
    const bool widen = dtype != HONE_F32 && product->m > 2 * tall &&
                       (size_t)(wide * product->k) * sizeof(float) <= HN_CPU_PACKED_SCRATCH;
    for (int64_t column = 0; column < product->n; column += wide) {
        hn_cpu_row w[WIDEST];
        for (int i = 0; i < wide; i++) {
            w[i] = hn_cpu_rows_at(&product->b, column + i, product->n);
        }
        if (widen) {
            widen_rows(product, dtype, wide, w, ahead, scratch);
            multiply_columns(product, HONE_F32, wide, tall, column, w, 0);
        } else {
            multiply_columns(product, dtype, wide, tall, column, w, ahead);
        }
    }
}
