/** Reading the option table, for the YAML writer; and the parsed forms of textual options. */
#ifndef HN_TRAIN_OPTIONS_H
#define HN_TRAIN_OPTIONS_H

#include <hone/train.h>

/** Row i of the table and its field in `options`; NULL past the end. */
const hone_option_info *hn_train_option(size_t i, const hone_train_options *options, const void **field);

HONE_MUST_USE hone_status hn_schedule_parse(const char *name, hone_schedule *schedule);
/** "naive" is the padded layout. */
HONE_MUST_USE hone_status hn_pack_parse(const char *name, hone_pack_layout *layout);
/** Bytes: a number > 0 with an optional K, M or G (powers of 1000); "none" is 0, "auto" HN_LIMIT_AUTO. */
#define HN_LIMIT_AUTO UINT64_MAX
HONE_MUST_USE hone_status hn_limit_parse(const char *text, uint64_t *bytes);

#endif
