/** The tokenizer of a GGUF file, from its metadata to a Hugging Face folder. */
#ifndef HN_MODEL_VOCABULARY_H
#define HN_MODEL_VOCABULARY_H

#include <model/gguf.h>

HONE_MUST_USE hone_status hn_vocabulary_write(const hn_gguf *file, const char *folder, int64_t vocabulary);

#endif
