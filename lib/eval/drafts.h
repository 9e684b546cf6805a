/** drafts.jsonl: what was sampled, a line a prompt, known by its key. */
#ifndef HN_EVAL_DRAFTS_H
#define HN_EVAL_DRAFTS_H

#include <core/json.h>
#include <hone/sample.h>

typedef struct hn_drafts {
    char *path;
    json_t *by_key; /**< key -> [{"text","tokens","logp","ended"}], y0 first */
} hn_drafts;

/** Reads the file when it is there. A last line without its newline was cut: it is taken away. */
HONE_MUST_USE hone_status hn_drafts_open(const char *path, hn_drafts *drafts);
void hn_drafts_close(hn_drafts *drafts);
/** The list under `key` if it has at least `least` drafts, else NULL. Borrowed. */
const json_t *hn_drafts_find(const hn_drafts *drafts, const char *key, int64_t least);
/** Appends a line: the fields of `about` (stolen), "key" and "drafts". */
HONE_MUST_USE hone_status hn_drafts_add(hn_drafts *drafts, const char *key, json_t *about,
                                        const hone_answer *answer);

#endif
