#include <text/tokenizer.h>

json_t *hn_definition_make(json_t *vocabulary, json_t *merges, json_t *added, json_t *pre_tokenizer,
                           bool ignore_merges) {
    json_t *model =
        json_pack("{s:s,s:n,s:n,s:n,s:n,s:b,s:b,s:b,s:o,s:o}", "type", "BPE", "dropout", "unk_token",
                  "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0, "byte_fallback", 0,
                  "ignore_merges", (int)ignore_merges, "vocab", vocabulary, "merges", merges);
    json_t *decoder = json_pack("{s:s,s:b,s:b,s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                                "trim_offsets", 1, "use_regex", 1);
    return json_pack("{s:s,s:n,s:n,s:o,s:n,s:o,s:n,s:o,s:o}", "version", "1.0", "truncation", "padding",
                     "added_tokens", added, "normalizer", "pre_tokenizer", pre_tokenizer, "post_processor",
                     "decoder", decoder, "model", model);
}
