/** The built-in templates, and a template's pieces. */
#ifndef HN_TEXT_TEMPLATE_H
#define HN_TEXT_TEMPLATE_H

#include <core/hash.h>
#include <hone/template.h>

enum { HN_PIECES_MOST = 16 };

/** Two lists of pieces, NULL at their ends; "{prompt}", "{draft}" and "{completion}" stand for the texts. */
typedef struct hn_template_text {
    const char *name;
    const char *answer[HN_PIECES_MOST + 1], *revision[HN_PIECES_MOST + 1];
} hn_template_text;

/** Everything that contexts depend on. */
void hn_template_hash(const hone_template *form, hn_hasher *hasher);

/** NULL past the last. */
const hn_template_text *hn_template_builtin(size_t i);

#endif
