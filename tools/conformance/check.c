#include "check.h"

#include "oracle/oracle.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- text ---- */

HONE_PRINTF(3, 4) static void append(char *text, size_t size, const char *format, ...) {
    const size_t used = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static void describe_extents(const cf_shape *shape, char *text, size_t size) {
    for (int i = 0; i < shape->rank; i++)
        append(text, size, "%s%lld", i == 0 ? "[" : ",", (long long)shape->extent[i]);
    append(text, size, "]");
}

void cf_describe(const cf_case *it, const cf_layout *layout, char *text, size_t size) {
    text[0] = 0;
    for (int i = 0; i < it->operands; i++) {
        const cf_operand *o = &it->operand[i];
        append(text, size, "%s%d:", i == 0 ? "" : " ", i);
        if (!o->present) {
            append(text, size, "absent");
            continue;
        }
        append(text, size, "%s", cf_dtype_name(o->dtype));
        describe_extents(&o->shape, text, size);
        if (o->alias >= 0) {
            append(text, size, "=%d", o->alias);
            continue;
        }
        if (layout->place[i].stride != cf_width(&o->shape))
            append(text, size, "/%lld", (long long)layout->place[i].stride);
        if (layout->place[i].offset != 0)
            append(text, size, "+%zu", layout->place[i].offset);
        if (it->accumulate >> i & 1u)
            append(text, size, "acc");
    }
    if (it->note[0] != 0)
        append(text, size, " (%s)", it->note);
}

static void describe_element(const cf_operand *o, int operand, int64_t element, char *text, size_t size) {
    int64_t rest = element, below = cf_count(&o->shape);

    append(text, size, "operand %d", operand);
    for (int i = 0; i < o->shape.rank; i++) {
        below /= o->shape.extent[i];
        append(text, size, "%s%lld", i == 0 ? "[" : ",", (long long)(rest / below));
        rest %= below;
    }
    append(text, size, "]");
}

/* ---- numbers ---- */

/* What underflow may cost: a device may flush denormals, and a sum may have many of them. */
static double underflow(int32_t dtype) { return dtype == HONE_F64 ? 1e-290 : 1e-30; }

/* NaN for NaN; the sign of a zero counts only where rounding itself is the operation. */
static bool same_bits(const cf_case *it, double got, double want) {
    if (isnan(want))
        return isnan(got) != 0;
    if (got == 0 && want == 0 && !it->as_stored)
        return true;
    return got == want && signbit(got) == signbit(want);
}

/* |got - want| / bound, at most 1 where it is right. */
static double error_ratio(const cf_case *it, int32_t dtype, double got, double want, double bound) {
    if (bound == CF_SAME)
        return same_bits(it, got, want) ? 0 : (double)INFINITY;
    const double ratio = fabs(got - want) / (bound + underflow(dtype));
    return isnan(ratio) ? (double)INFINITY : ratio;
}

static void check_operand(const cf_case *it, const cf_layout *layout, int operand, const cf_images *before,
                          const cf_images *after, cf_verdict *verdict) {
    const cf_operand *o = &it->operand[operand];
    const int image = cf_image_of(it, operand);
    int64_t wrong = 0, first = -1;

    for (int64_t i = 0; i < cf_count(&o->shape); i++) {
        const size_t at = cf_element_at(it, layout, operand, i);
        const size_t size = oracle_dtype_size(o->dtype);
        double ratio = 0;
        if (o->bound[i] == CF_UNTOUCHED)
            ratio =
                memcmp(before->image[image] + at, after->image[image] + at, size) == 0 ? 0 : (double)INFINITY;
        else if (o->bound[i] != CF_ANYTHING)
            ratio = error_ratio(it, o->dtype, oracle_get(o->dtype, after->image[image] + at), o->want[i],
                                o->bound[i]);
        verdict->ratio = fmax(verdict->ratio, ratio);
        if (ratio > 1 && wrong++ == 0)
            first = i;
    }
    if (wrong == 0 || !verdict->passed)
        return;
    verdict->passed = false;
    const unsigned char *place = after->image[image] + cf_element_at(it, layout, operand, first);
    describe_element(o, operand, first, verdict->problem, sizeof verdict->problem);
    if (o->bound[first] == CF_UNTOUCHED)
        append(verdict->problem, sizeof verdict->problem, ": was to be left as it was, became %.9g",
               oracle_get(o->dtype, place));
    else
        append(verdict->problem, sizeof verdict->problem, ": got %.9g, want %.9g, bound %.3g",
               oracle_get(o->dtype, place), o->want[first], o->bound[first]);
    append(verdict->problem, sizeof verdict->problem, " (%lld of %lld elements wrong)", (long long)wrong,
           (long long)cf_count(&o->shape));
}

/* ---- what must not change ---- */

/* Copies the outputs' elements of `after` over those of `image`. */
static void take_outputs(const cf_case *it, const cf_layout *layout, const cf_images *after, int which,
                         unsigned char *image) {
    for (int i = 0; i < it->operands; i++) {
        const cf_operand *o = &it->operand[i];
        if (!o->present || !o->output || cf_image_of(it, i) != which)
            continue;
        for (int64_t j = 0; j < cf_count(&o->shape); j++) {
            const size_t at = cf_element_at(it, layout, i, j);
            memcpy(image + at, after->image[which] + at, oracle_dtype_size(o->dtype));
        }
    }
}

static void blame(const cf_case *it, const cf_place *place, int which, size_t byte, cf_verdict *verdict) {
    const cf_operand *o = &it->operand[which];
    const size_t guard = place->bytes - 256;
    const char *where = "within the tensor";

    if (byte < place->offset)
        where = "before the tensor";
    else if (byte >= guard)
        where = "after the tensor";
    verdict->passed = false;
    append(verdict->problem, sizeof verdict->problem,
           "operand %d (%s): byte %zu of its buffer, %s (at %zu to %zu), was changed and is no output", which,
           o->output ? "output" : "input", byte, where, place->offset, guard);
}

static void check_unchanged(const cf_case *it, const cf_layout *layout, const cf_images *before,
                            const cf_images *after, cf_verdict *verdict) {
    for (int i = 0; i < it->operands && verdict->passed; i++) {
        const size_t bytes = layout->place[i].bytes;
        if (before->image[i] == NULL)
            continue;
        unsigned char *image = malloc(bytes);
        if (image == NULL)
            abort();
        memcpy(image, before->image[i], bytes);
        take_outputs(it, layout, after, i, image);
        for (size_t byte = 0; byte < bytes && verdict->passed; byte++) {
            if (image[byte] != after->image[i][byte])
                blame(it, &layout->place[i], i, byte, verdict);
        }
        free(image);
    }
}

static void check_workspace(const cf_layout *layout, const cf_images *after, cf_verdict *verdict) {
    if (after->workspace == NULL || !verdict->passed)
        return;
    unsigned char *guard = malloc(after->workspace_bytes);
    if (guard == NULL)
        abort();
    cf_fill_guard(guard, after->workspace_bytes, HONE_U8, true);
    const size_t offset = layout->workspace_offset;
    const size_t end = after->workspace_bytes - 256;
    if (memcmp(guard, after->workspace, offset) != 0 ||
        memcmp(guard + end, after->workspace + end, after->workspace_bytes - end) != 0) {
        verdict->passed = false;
        append(verdict->problem, sizeof verdict->problem, "wrote outside of its workspace of %zu bytes",
               end - offset);
    }
    free(guard);
}

/* ---- the same bits again ---- */

static void check_repeat(const cf_case *it, const cf_layout *layout, const cf_images *first,
                         const cf_images *second, const char *what, cf_verdict *verdict) {
    for (int i = 0; i < it->operands && verdict->passed; i++) {
        const cf_operand *o = &it->operand[i];
        const int image = cf_image_of(it, i);
        for (int64_t j = 0; o->present && o->output && j < cf_count(&o->shape); j++) {
            const size_t at = cf_element_at(it, layout, i, j);
            const unsigned char *a = first->image[image] + at, *b = second->image[image] + at;
            if (o->bound[j] == CF_ANYTHING || memcmp(a, b, oracle_dtype_size(o->dtype)) == 0)
                continue;
            verdict->passed = false;
            describe_element(o, i, j, verdict->problem, sizeof verdict->problem);
            append(verdict->problem, sizeof verdict->problem, ": %.17g, %s %.17g", oracle_get(o->dtype, a),
                   what, oracle_get(o->dtype, b));
            return;
        }
    }
}

static bool execute(cf_device *device, const cf_case *it, const cf_layout *layout, const cf_images *before,
                    cf_images *after, cf_verdict *verdict) {
    const hone_status status = cf_execute(device, it, layout, before, after);

    if (status == HONE_OK)
        return true;
    verdict->passed = false;
    append(verdict->problem, sizeof verdict->problem, "status %d: %s", (int)status, device->host.message);
    return false;
}

void cf_check(const cf_case *it, const cf_layout *layout, cf_device *one, cf_device *many,
              cf_verdict *verdict) {
    cf_images before, first = {0}, again = {0};

    *verdict = (cf_verdict){.passed = true};
    if (!cf_images_make(it, layout, &before))
        abort();
    if (execute(one, it, layout, &before, &first, verdict)) {
        for (int i = 0; i < it->operands; i++) {
            if (it->operand[i].present && it->operand[i].output)
                check_operand(it, layout, i, &before, &first, verdict);
        }
        check_unchanged(it, layout, &before, &first, verdict);
        check_workspace(layout, &first, verdict);
    }
    if (verdict->passed && execute(one, it, layout, &before, &again, verdict))
        check_repeat(it, layout, &first, &again, "repeated", verdict);
    cf_images_free(&again);
    if (verdict->passed && many->handle != NULL && execute(many, it, layout, &before, &again, verdict))
        check_repeat(it, layout, &first, &again, "with more threads", verdict);
    cf_images_free(&again);
    cf_images_free(&first);
    cf_images_free(&before);
}
