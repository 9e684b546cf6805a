/**
 * Templates: how a prompt, a draft and a completion become one sequence of tokens.
 *
 * A template has two roles. The answer (0-revision) is made of literals, the prompt and the completion; the
 * revision has the draft as well, its instruction after the draft, so that prompt and draft keep their keys
 * and values. Each piece is encoded alone and the ids are put one after the other: every boundary is a token
 * boundary, and only literals can produce special tokens.
 *
 * Built in: plain, chatml, llama-2, llama-3, mistral, gemma, phi; "auto" recognises a model's chat template.
 * A user's template is a JSON file with two lists of pieces; "{prompt}", "{draft}" and "{completion}" stand for
 * the texts, everything else is literal:
 *
 *     {"answer":   ["Q: ", "{prompt}", "\nA:", "{completion}"],
 *      "revision": ["Q: ", "{prompt}", "\nA:", "{draft}", "\nBetter:", "{completion}"]}
 */
#ifndef HONE_TEMPLATE_H
#define HONE_TEMPLATE_H

#include <hone/tokenizer.h>

HONE_BEGIN

typedef struct hone_template hone_template;

/** `name`: a built-in's name, "auto", or a path (with a '/' or ending in .json). The tokenizer encodes the literals
 *  and must have the special tokens that they name; it is not needed afterwards. */
HONE_API HONE_MUST_USE hone_status hone_template_open(const char *name, const hone_tokenizer *tokenizer,
                                                      hone_template **form);
HONE_API void hone_template_destroy(hone_template *form);
HONE_API const char *hone_template_name(const hone_template *form);
/** The names of the built-in templates, NULL at the end. */
HONE_API const char *const *hone_template_names(void);

/** Appends the context of an answer (draft NULL) or of a revision: everything before the completion. */
HONE_API HONE_MUST_USE hone_status hone_template_context(const hone_template *form, const hone_ids *prompt,
                                                         const hone_ids *draft, hone_ids *context);

HONE_END

#endif
