/* hone revise: an answer to a prompt, improved n times by the model itself. */
#include "answers.h"
#include "cli.h"
#include "verbs.h"

static const char summary[] =
    "hone revise: an answer to a prompt, improved n times by the model itself\n\n"
    "Draft 0 answers the prompt; each further one is written with the one before it in view.";
static const char example[] =
    "  hone revise --model model --adapter run/final --prompt 'What is a trie?' -n 2\n"
    "  hone revise --model model --adapter run/final --data prompts.jsonl -n 3 --keep best --json";

int hone_cmd_revise(int argc, const char **argv) {
    answers a;
    answers_init(&a);
    struct poptOption options[] = {
        SESSION_OPTIONS(a.session),
        ANSWER_OPTIONS(a),
        {"revisions", 'n', POPT_ARG_LONGLONG, &a.revisions, 0, "revisions after the first draft (1)", "N"},
        {"keep", '\0', POPT_ARG_STRING, &a.keep, 0,
         "name the draft to keep: best, which the model finds least improvable, or likeliest, which it was "
         "surest of",
         "WHICH"},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = answers_run(&a, "revise", 1);
    answers_close(&a);
    return code;
}
