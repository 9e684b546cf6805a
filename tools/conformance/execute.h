/** Running a case on a device: where operands lie, what stands around them, what came back. */
#ifndef CF_EXECUTE_H
#define CF_EXECUTE_H

#include "case.h"
#include "host.h"

/** An open device. */
typedef struct cf_device {
    cf_host host;
    const hone_backend *backend;
    hone_backend_device *handle;
} cf_device;

/** Where an operand lies in its buffer. */
typedef struct cf_place {
    size_t offset, bytes; /**< bytes of the whole buffer */
    int64_t stride;       /**< elements from row to row */
} cf_place;

typedef struct cf_layout {
    cf_place place[HONE_MAX_OPERANDS];
    size_t workspace_offset;
} cf_layout;

/** Bytes of every buffer, and of the workspace's. */
typedef struct cf_images {
    unsigned char *image[HONE_MAX_OPERANDS]; /**< NULL where absent or aliased */
    unsigned char *workspace;
    size_t workspace_bytes; /**< of the buffer: workspace_offset, what was asked for, a guard */
} cf_images;

/** The case's own choice: dense or padded rows, at the buffer's start, at an aligned offset, or as a view. */
void cf_layout_choose(cf_case *it, cf_layout *layout);
/** What the buffers hold before the call. The workspace is not among them. */
bool cf_images_make(const cf_case *it, const cf_layout *layout, cf_images *images);
void cf_images_free(cf_images *images);
/** Byte position of an element in its image. */
size_t cf_element_at(const cf_case *it, const cf_layout *layout, int operand, int64_t element);
/** The operand whose image an operand is in. */
int cf_image_of(const cf_case *it, int operand);

/** Uploads `before`, runs the operation and downloads into `after`, allocated as `before` is. The message of a
 *  failure is in device->host. */
hone_status cf_execute(cf_device *device, const cf_case *it, const cf_layout *layout, const cf_images *before,
                       cf_images *after);

/** What the device asks for, for operands of these extents, dense, before there are any buffers. */
size_t cf_workspace(cf_device *device, const cf_case *it);

/** Fills `want` of every output; false when out of memory. */
bool cf_execute_oracle(cf_case *it);

/** Bytes that stand where nothing is to be read (in inputs: NaN; integers: zeros) or written. */
void cf_fill_guard(unsigned char *image, size_t bytes, int32_t dtype, bool output);

#endif
