/**
 * TensorBoard event files: scalar summaries of the old style, which every version of its reader takes.
 *
 * A file is a row of records, a record is (all little-endian)
 *
 *     uint64 length | uint32 masked CRC of these 8 bytes | data[length] | uint32 masked CRC of the data
 *
 * with CRC = CRC-32C (Castagnoli, RFC 3720 B.4) and mask(c) = rotate right by 15, plus 0xa282ead8 (TensorFlow,
 * core/lib/hash/crc32c.h). The data is one protocol buffer (core/util/event.proto, summary.proto):
 *
 *     Event   { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5;
 *               SessionLog session_log = 7; }
 *     Summary { repeated Value value = 1; }   Value { string tag = 1; float simple_value = 2; }
 */
#ifndef HN_TRAIN_TENSORBOARD_H
#define HN_TRAIN_TENSORBOARD_H

#include <hone/status.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/** CRC-32C of the bytes, unmasked. */
uint32_t hn_crc32c(const void *data, size_t length);

/**
 * Begins a new event file in `folder` (made when missing): file_version, then a session that starts at `step`,
 * the first that will be written: of what an interrupted run wrote past its checkpoint, TensorBoard drops the
 * steps from there on. *path is the file; free with hn_free.
 */
HONE_MUST_USE hone_status hn_tensorboard_begin(const char *folder, int64_t step, char **path);

/** Appends one event: every number of the flat object `scalars` but "step": NAME under "train/NAME",
 *  eval_NAME under "eval/NAME". */
HONE_MUST_USE hone_status hn_tensorboard_append(const char *path, int64_t step, json_t *scalars);

#endif
