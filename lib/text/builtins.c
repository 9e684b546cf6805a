/* The built-in templates. The revision's instruction follows the draft, so that prompt and draft keep their
 * place in the token tree and in the cache. */
#include <text/template.h>

#define P "{prompt}"
#define D "{draft}"
#define C "{completion}"
#define ASK "Improve your answer."

static const hn_template_text builtins[] = {
    {"plain", {P, C}, {P, D, "\n\nBetter:", C}},
    {"chatml",
     {"<|im_start|>user\n", P, "<|im_end|>\n<|im_start|>assistant\n", C},
     {"<|im_start|>user\n", P, "<|im_end|>\n<|im_start|>assistant\n", D,
      "<|im_end|>\n<|im_start|>user\n" ASK "<|im_end|>\n<|im_start|>assistant\n", C}},
    {"llama-2",
     {"<s>[INST] ", P, " [/INST]", C},
     {"<s>[INST] ", P, " [/INST]", D, "</s><s>[INST] " ASK " [/INST]", C}},
    {"llama-3",
     {"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n", P,
      "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", C},
     {"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n", P,
      "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", D,
      "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n" ASK
      "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
      C}},
    {"mistral",
     {"<s>[INST] ", P, " [/INST]", C},
     {"<s>[INST] ", P, " [/INST]", D, "</s>[INST] " ASK " [/INST]", C}},
    {"gemma",
     {"<bos><start_of_turn>user\n", P, "<end_of_turn>\n<start_of_turn>model\n", C},
     {"<bos><start_of_turn>user\n", P, "<end_of_turn>\n<start_of_turn>model\n", D,
      "<end_of_turn>\n<start_of_turn>user\n" ASK "<end_of_turn>\n<start_of_turn>model\n", C}},
    {"phi",
     {"<|user|>\n", P, "<|end|>\n<|assistant|>\n", C},
     {"<|user|>\n", P, "<|end|>\n<|assistant|>\n", D, "<|end|>\n<|user|>\n" ASK "<|end|>\n<|assistant|>\n",
      C}},
};

const hn_template_text *hn_template_builtin(size_t i) {
    return i < sizeof builtins / sizeof builtins[0] ? &builtins[i] : NULL;
}

const char *const *hone_template_names(void) {
    static const char *const names[] = {"plain",   "chatml", "llama-2", "llama-3",
                                        "mistral", "gemma",  "phi",     NULL};
    return names;
}
