/** The pieces of `hone report`: one page, offline, made of folders that `hone train` and `hone eval` left. */
#ifndef HONE_REPORT_H
#define HONE_REPORT_H

#include <jansson.h>
#include <stdio.h>

/**
 * What a folder holds; what it lacks is NULL. All of it is read tolerantly and comes from outside.
 *
 * metrics: list of the objects of metrics.jsonl, and then of eval.jsonl. config: text of config.yaml.
 * results: results.json as `hone eval --out` writes it; read of it is
 *     {"results":[{"policy":"..","set":"..","revision":0,"win_rate":{"mean":0.5,"deviation":0.1,"low":0.4,"high":0.6}}]}
 * drafts: list of the objects of drafts.jsonl; read of each is
 *     {"policy":"..","set":"..","row":0,"prompt":"..","reference":"..","drafts":[{"text":".."}, ...]}
 */
typedef struct report_run {
    char *folder, *config;
    json_t *metrics, *results, *drafts;
} report_run;

/** Returns 0, or 1 after saying that the folder holds nothing of the four. */
int report_run_read(const char *folder, report_run *run);
void report_run_clear(report_run *run);

/** Text with the five characters of HTML escaped, and control characters replaced. */
void report_text(FILE *to, const char *text);
/** Curves of the runs' metrics, one figure a name that any run has. Returns the exit code. */
int report_curves(FILE *to, const report_run *run, int count);
/** Win rates over revisions, a figure a set. Returns the exit code. */
int report_win_rates(FILE *to, const report_run *run);
/** The text, with the words marked that it has and `before` lacks, and the reverse. `before` NULL, or a text too long to
 *  compare: as it is. */
void report_revision(FILE *to, const char *before, const char *after);
/** A card a prompt, at most `most`: its reference, and what every policy wrote, drafts beside their revisions. */
void report_drafts(FILE *to, const report_run *run, long long most);
/** Win rates and scores over revisions, head to head, paired tests, the judge and how was sampled. */
void report_evaluation(FILE *to, const report_run *run);
/** A line a run: method, model, steps, where its numbers ended. */
void report_overview(FILE *to, const report_run *run, int count);
/** Rows, lengths and length bias of the data set that the configuration names, where it can be read. */
void report_data(FILE *to, const report_run *run);

#endif
