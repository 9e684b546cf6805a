#include "execute.h"

#include "oracle/oracle.h"

#include <stdlib.h>
#include <string.h>

enum { GUARD_BYTES = 256 };

extern const hone_backend_manifest hone_oracle_manifest;

/* ---- where operands lie ---- */

static cf_place place_of(const cf_operand *o, int64_t padding, size_t offset) {
    const int64_t width = o->dtype == HONE_Q8 ? oracle_q8_row(cf_width(&o->shape)) : cf_width(&o->shape);
    const int64_t rows = o->shape.extent[0];
    const int64_t stride = width + (o->dtype == HONE_Q8 ? padding / 2 * 2 : padding);
    const size_t size = oracle_dtype_size(o->dtype);
    const int64_t span = cf_count(&o->shape) == 0 ? 0 : (rows - 1) * stride + width;

    return (cf_place){offset, offset + (size_t)span * size + GUARD_BYTES, stride};
}

enum { DENSE, SHIFTED, PADDED, VIEW, MODES };

void cf_layout_choose(cf_case *it, cf_layout *layout) {
    static const int64_t paddings[] = {1, 2, 3, 5, 8, 16, 64, 0};
    const int mode = it->number % MODES;

    *layout = (cf_layout){0};
    layout->workspace_offset = mode == DENSE ? 0 : HONE_BUFFER_ALIGNMENT;
    for (int i = 0; i < it->operands; i++) {
        const cf_operand *o = &it->operand[i];
        int64_t padding = 0;
        size_t offset = 0;
        if (!o->present)
            continue;
        if (mode >= PADDED)
            padding = paddings[cf_between(&it->random, 0, o->shape.rank == 1 ? 2 : 7)];
        if (mode == SHIFTED || mode == PADDED)
            offset = HONE_BUFFER_ALIGNMENT * (size_t)cf_between(&it->random, 0, 5);
        if (mode == VIEW) /* as if the tensor were rows of a larger one */
            offset = (size_t)(cf_between(&it->random, 0, 3) * place_of(o, padding, 0).stride) *
                     oracle_dtype_size(o->dtype);
        layout->place[i] = place_of(o, padding, offset);
    }
    for (int i = 0; i < it->operands; i++) {
        if (it->operand[i].alias >= 0)
            layout->place[i] = layout->place[it->operand[i].alias];
    }
}

int cf_image_of(const cf_case *it, int operand) {
    return it->operand[operand].alias >= 0 ? it->operand[operand].alias : operand;
}

size_t cf_element_at(const cf_case *it, const cf_layout *layout, int operand, int64_t element) {
    const cf_operand *o = &it->operand[operand];
    const int64_t width = cf_width(&o->shape);
    const int64_t index = element / width * layout->place[operand].stride + element % width;

    return layout->place[operand].offset + (size_t)index * oracle_dtype_size(o->dtype);
}

/* ---- what stands there ---- */

void cf_fill_guard(unsigned char *image, size_t bytes, int32_t dtype, bool output) {
    /* NaN in every floating dtype; inputs and outputs differ, so that a guard copied over a guard shows. */
    const unsigned char input_guard[2] = {0xf3, 0xff}, output_guard[2] = {0xf5, 0x7f};

    memset(image, 0, bytes);
    for (size_t i = 0; dtype != HONE_I32 && i < bytes; i++)
        image[i] = (output ? output_guard : input_guard)[i % 2];
}

static unsigned char *make_image(const cf_case *it, const cf_layout *layout, int operand) {
    const cf_operand *o = &it->operand[operand];
    const size_t bytes = layout->place[operand].bytes;
    unsigned char *image = malloc(bytes + 1);

    if (image == NULL)
        return NULL;
    cf_fill_guard(image, bytes, o->dtype, o->output);
    for (int64_t row = 0; o->dtype == HONE_Q8 && row < o->shape.extent[0]; row++)
        oracle_put_q8(image + layout->place[operand].offset + row * layout->place[operand].stride,
                      o->value + row * cf_width(&o->shape), cf_width(&o->shape));
    if (o->dtype == HONE_Q8)
        return image;
    for (int64_t i = 0; (!o->output || o->keeps) && i < cf_count(&o->shape); i++)
        oracle_put(o->dtype, image + cf_element_at(it, layout, operand, i), o->value[i]);
    return image;
}

bool cf_images_make(const cf_case *it, const cf_layout *layout, cf_images *images) {
    *images = (cf_images){0};
    for (int i = 0; i < it->operands; i++) {
        if (!it->operand[i].present || it->operand[i].alias >= 0)
            continue;
        images->image[i] = make_image(it, layout, i);
        if (images->image[i] == NULL) {
            cf_images_free(images);
            return false;
        }
    }
    return true;
}

void cf_images_free(cf_images *images) {
    for (int i = 0; i < HONE_MAX_OPERANDS; i++)
        free(images->image[i]);
    free(images->workspace);
    *images = (cf_images){0};
}

/* ---- a call ---- */

typedef struct execution {
    cf_device *device;
    const cf_case *it;
    const cf_layout *layout;
    hone_tensor operand[HONE_MAX_OPERANDS];
    hone_call call;
    uint64_t workspace;
} execution;

static hone_tensor tensor_of(const cf_operand *o, const cf_place *place, uint64_t buffer) {
    hone_tensor tensor = {.buffer = buffer,
                          .offset = place->offset,
                          .dtype = o->dtype,
                          .rank = o->shape.rank,
                          .row_stride = place->stride};

    memcpy(tensor.extent, o->shape.extent, sizeof tensor.extent);
    return tensor;
}

static hone_status make_buffers(execution *e, const cf_images *before) {
    const hone_backend *backend = e->device->backend;

    for (int i = 0; i < e->it->operands; i++) {
        uint64_t buffer = 0;
        if (before->image[i] == NULL)
            continue;
        const size_t bytes = e->layout->place[i].bytes;
        hone_status status = backend->buffer_create(e->device->handle, bytes, &buffer);
        e->operand[i] = tensor_of(&e->it->operand[i], &e->layout->place[i], buffer);
        if (status == HONE_OK)
            status = backend->upload(e->device->handle, buffer, 0, before->image[i], bytes);
        if (status != HONE_OK)
            return status;
    }
    for (int i = 0; i < e->it->operands; i++) {
        if (e->it->operand[i].alias >= 0)
            e->operand[i] = e->operand[e->it->operand[i].alias];
    }
    return HONE_OK;
}

/* As much as the device asks for, between guards. */
static hone_status make_workspace(execution *e, cf_images *after) {
    const hone_backend *backend = e->device->backend;
    hone_backend_device *handle = e->device->handle;
    const size_t offset = e->layout->workspace_offset;

    if (backend->workspace == NULL)
        return HONE_OK;
    const size_t bytes = backend->workspace(handle, e->it->operation, &e->call);
    if (bytes == 0)
        return HONE_OK;
    after->workspace_bytes = offset + bytes + GUARD_BYTES;
    after->workspace = malloc(after->workspace_bytes);
    if (after->workspace == NULL)
        return e->device->host.table.fail(&e->device->host, HONE_ERROR_MEMORY, "no memory for %zu bytes",
                                          bytes);
    cf_fill_guard(after->workspace, after->workspace_bytes, HONE_U8, true);
    const hone_status status = backend->buffer_create(handle, after->workspace_bytes, &e->workspace);
    if (status != HONE_OK)
        return status;
    e->call.workspace = (hone_tensor){.buffer = e->workspace,
                                      .offset = offset,
                                      .dtype = HONE_U8,
                                      .rank = 1,
                                      .extent = {(int64_t)bytes, 1, 1, 1},
                                      .row_stride = 1};
    return backend->upload(handle, e->workspace, 0, after->workspace, after->workspace_bytes);
}

static hone_status fetch(execution *e, cf_images *after) {
    const hone_backend *backend = e->device->backend;
    hone_status status = HONE_OK;

    for (int i = 0; status == HONE_OK && i < e->it->operands; i++) {
        const uint64_t buffer = e->it->operand[i].alias < 0 ? e->operand[i].buffer : 0;
        if (buffer == 0)
            continue;
        const size_t bytes = e->layout->place[i].bytes;
        after->image[i] = malloc(bytes);
        if (after->image[i] == NULL)
            return e->device->host.table.fail(&e->device->host, HONE_ERROR_MEMORY, "no memory for %zu bytes",
                                              bytes);
        status = backend->download(e->device->handle, after->image[i], buffer, 0, bytes);
    }
    if (status == HONE_OK && e->workspace != 0)
        status =
            backend->download(e->device->handle, after->workspace, e->workspace, 0, after->workspace_bytes);
    return status;
}

static void destroy_buffers(execution *e) {
    for (int i = 0; i < e->it->operands; i++) {
        if (e->it->operand[i].alias < 0 && e->operand[i].buffer != 0)
            e->device->backend->buffer_destroy(e->device->handle, e->operand[i].buffer);
    }
    if (e->workspace != 0)
        e->device->backend->buffer_destroy(e->device->handle, e->workspace);
}

hone_status cf_execute(cf_device *device, const cf_case *it, const cf_layout *layout, const cf_images *before,
                       cf_images *after) {
    execution e = {.device = device, .it = it, .layout = layout};

    *after = (cf_images){0};
    e.call = (hone_call){.operand = e.operand, .accumulate = it->accumulate};
    e.call.params = it->has_params ? &it->params : NULL;
    hone_status status = make_buffers(&e, before);
    if (status == HONE_OK)
        status = make_workspace(&e, after);
    if (status == HONE_OK)
        status = device->backend->operation[it->operation](device->handle, &e.call);
    if (status == HONE_OK)
        status = fetch(&e, after);
    destroy_buffers(&e);
    if (status != HONE_OK)
        cf_images_free(after);
    return status;
}

size_t cf_workspace(cf_device *device, const cf_case *it) {
    hone_tensor operand[HONE_MAX_OPERANDS] = {{0}};
    const hone_call call = {
        .operand = operand, .params = it->has_params ? &it->params : NULL, .accumulate = it->accumulate};

    if (device->backend->workspace == NULL)
        return 0;
    for (int i = 0; i < it->operands; i++) {
        const cf_place place = {0, 0, cf_width(&it->operand[i].shape)};
        if (it->operand[i].present) /* the buffers need not exist: only that there will be one matters */
            operand[i] = tensor_of(&it->operand[i], &place, UINT64_C(0x7ffffff1));
    }
    return device->backend->workspace(device->handle, it->operation, &call);
}

/* ---- the oracle ---- */

static bool open_oracle(cf_device *device) {
    device->backend = hone_oracle_manifest.backend;
    if (!cf_host_start(&device->host, 1))
        return false;
    return device->backend->open(&device->host.table, 0, &device->handle) == HONE_OK;
}

static void read_wants(cf_case *it, const cf_layout *layout, const cf_images *after) {
    for (int i = 0; i < it->operands; i++) {
        cf_operand *o = &it->operand[i];
        for (int64_t j = 0; o->present && o->output && j < cf_count(&o->shape); j++)
            o->want[j] =
                oracle_get(o->dtype, after->image[cf_image_of(it, i)] + cf_element_at(it, layout, i, j));
    }
}

bool cf_execute_oracle(cf_case *it) {
    static cf_device device; /* opened once, for the life of the program */
    cf_case wide = *it;
    cf_layout layout = {0};
    cf_images before = {0}, after = {0};

    if (device.handle == NULL && !open_oracle(&device))
        return false;
    for (int i = 0; i < wide.operands; i++) {
        cf_operand *o = &wide.operand[i];
        if (o->present && o->dtype != HONE_I32 && !it->as_stored)
            o->dtype = HONE_F64;
        if (o->present)
            layout.place[i] = place_of(o, 0, 0);
    }
    const bool done = cf_images_make(&wide, &layout, &before) &&
                      cf_execute(&device, &wide, &layout, &before, &after) == HONE_OK;
    if (done)
        read_wants(&wide, &layout, &after);
    cf_images_free(&before);
    cf_images_free(&after);
    return done;
}
