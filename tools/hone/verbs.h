/** The verbs. Each gets its own name as argv[0] and returns the exit code. */
#ifndef HONE_VERBS_H
#define HONE_VERBS_H

int hone_cmd_bandit(int argc, const char **argv);
int hone_cmd_bench(int argc, const char **argv);
int hone_cmd_check(int argc, const char **argv);
int hone_cmd_convert(int argc, const char **argv);
int hone_cmd_data(int argc, const char **argv);
int hone_cmd_devices(int argc, const char **argv);
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
