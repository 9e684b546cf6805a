/* hone generate: an answer to a prompt. */
#include "answers.h"
#include "cli.h"
#include "verbs.h"

static const char summary[] = "hone generate: an answer to a prompt\n\n"
                              "Writes the answer as it comes; with --data, an answer a row.";
static const char example[] =
    "  hone generate --model model --template auto --prompt 'What is a trie?' --max-tokens 60\n"
    "  hone generate --model model --data prompts.jsonl --temperature 0.8 --json > answers.jsonl";

int hone_cmd_generate(int argc, const char **argv) {
    answers a;
    answers_init(&a);
    a.revisions = 0;
    struct poptOption options[] = {
        SESSION_OPTIONS(a.session),
        ANSWER_OPTIONS(a),
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = answers_run(&a, "generate", 0);
    answers_close(&a);
    return code;
}
