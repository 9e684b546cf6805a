/** The verbs. Each gets its own name as argv[0] and returns the exit code. */
#ifndef HONE_VERBS_H
#define HONE_VERBS_H

typedef struct verb_info {
    const char *name;
    int (*run)(int argc, const char **argv);
    const char *summary;
    const char *const *parts; /**< what it can be told to do, NULL at the end; NULL: it does one thing */
} verb_info;
extern const verb_info hone_verbs[];
extern const int hone_verb_count;

int hone_cmd_bandit(int argc, const char **argv);
int hone_cmd_bench(int argc, const char **argv);
int hone_cmd_check(int argc, const char **argv);
int hone_cmd_convert(int argc, const char **argv);
int hone_cmd_data(int argc, const char **argv);
int hone_cmd_devices(int argc, const char **argv);
/** Not in the list: writes the manual pages and completions that are installed, from the verbs' own tables. */
int hone_cmd_documentation(int argc, const char **argv);
int hone_cmd_eval(int argc, const char **argv);
int hone_cmd_generate(int argc, const char **argv);
int hone_cmd_init(int argc, const char **argv);
int hone_cmd_inspect(int argc, const char **argv);
int hone_cmd_merge(int argc, const char **argv);
int hone_cmd_pairs(int argc, const char **argv);
int hone_cmd_report(int argc, const char **argv);
int hone_cmd_revise(int argc, const char **argv);
int hone_cmd_score(int argc, const char **argv);
int hone_cmd_tokenize(int argc, const char **argv);
int hone_cmd_tokenizer(int argc, const char **argv);
int hone_cmd_top(int argc, const char **argv);
int hone_cmd_train(int argc, const char **argv);

#endif
