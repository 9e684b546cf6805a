/** The pieces of `hone report`: one page, offline, made of folders that `hone train` and `hone eval` left. */
#ifndef HONE_REPORT_H
#define HONE_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/**
 * What a folder holds; what it lacks is NULL. All of it comes from outside: lines that are no JSON objects are left out with a
 * warning (in silence where a run that still writes has cut the last), values of other types than these count as absent.
 *
 * metrics, held: lists of the objects of metrics.jsonl and of eval.jsonl, the held-out rows. config: text of config.yaml.
 * results: results.json as `hone eval --out` writes it; read of it is
 *     {"results":[{"policy":"..","set":"..","revision":0,"win_rate":{"mean":0.5,"deviation":0.1,"low":0.4,"high":0.6}}]}
 * drafts: list of the objects of drafts.jsonl; read of each is
 *     {"policy":"..","set":"..","row":0,"prompt":"..","reference":"..","drafts":[{"text":".."}, ...]}
 */
typedef struct report_run {
    char *folder, *config;
    json_t *metrics, *held, *results, *drafts;
} report_run;

/** Returns 0, or 1 after saying that the folder holds nothing of the four, or that one of them can't be read. */
int report_run_read(const char *folder, report_run *run);
void report_run_clear(report_run *run);

/** Everything that the page is made of. */
typedef struct report_page {
    report_run *run;
    int count;
    json_t *series; /**< names in the order of their colours */
    long long drafts;
} report_page;

/** Names of policies, then of runs that are none of them: who stands in two pictures has one colour in both. */
json_t *report_series(const report_run *run, int count);
/** The name that a run's curve goes by: the policy that was evaluated from its folder, else what the folder is called, where no
 *  other is called so. Borrowed from the run or the series. */
const char *report_run_name(const report_page *page, int r);
/** How a name is drawn: a colour that stands on white and on black, a point of gnuplot and the letter that looks like it, a dash
 *  where the colours begin again. */
typedef struct report_style {
    const char *colour, *letter;
    int point, dash;
} report_style;
report_style report_style_of(const json_t *series, const char *name);
/** The mark of a name and the name; and a line of all that `names` lists. */
void report_name(FILE *to, const json_t *series, const char *name);
void report_key(FILE *to, const json_t *series, const json_t *names);

/** Reading results: "" for what is no text; the different texts of a key in order of appearance; what a set is called. */
const char *report_string(const json_t *object, const char *key);
double report_number(const json_t *object, const char *key);
/** Whether it is a number that can be drawn: far from overflow. */
bool report_has(const json_t *object, const char *key);
json_t *report_values(const json_t *list, const char *key);
const char *report_set_name(const char *set);
/** The estimate ("win_rate", "score") of a policy at a revision; NULL: none. */
const json_t *report_estimate(const json_t *results, const char *set, const char *policy, long long revision,
                              const char *key);
/** The estimate of the drafts that a policy would keep itself, `by` "likeliest" or "best"; of anybody with `policy` NULL. NULL: none. */
const json_t *report_kept(const json_t *all, const char *set, const char *policy, const char *by,
                          const char *key);
/** "Score by JUDGE", "Win rate against OPPONENT". */
void report_measure(FILE *to, const json_t *all, const char *key);
/** The highest revision. */
long long report_revisions(const json_t *results);

/** The style sheet. */
extern const char report_css[];
/** Text with the five characters of HTML escaped, and control characters replaced. */
void report_text(FILE *to, const char *text);
/** A picture of gnuplot's inside the page; `begin` writes what all have in common. `label` says what it shows to who can't see it.
 *  Returns the exit code; report_plot_end closes the script. */
FILE *report_plot_begin(const char *x);
int report_plot_end(FILE *script, const char *label, FILE *to);
/** Curves of the runs' metrics, one figure a name that any run has. Returns the exit code. */
int report_curves(FILE *to, const report_page *page);
/** Win rates and scores over revisions, a figure a set. Returns the exit code. */
int report_rates(FILE *to, const report_page *page, const report_run *run);
/** The text, with the words marked that it has and `before` lacks, and the reverse. `before` NULL, or a text too long to
 *  compare: as it is. White space at both ends is left out. */
void report_revision(FILE *to, const char *before, const char *after);
/** A card a prompt, at most `page->drafts`, from all sets in turn: its reference, and what every policy wrote, drafts beside
 *  their revisions. */
void report_drafts(FILE *to, const report_page *page, const report_run *run);
/** In a few words a set: who is best, after how many revisions, and how sure that is. */
void report_findings(FILE *to, const report_page *page, const report_run *run);
/** Win rates and scores over revisions, head to head, paired tests, the judge and how was sampled. */
void report_evaluation(FILE *to, const report_page *page, const report_run *run);
/** The value of NAME in the run's configuration; "": none. */
void report_setting(const report_run *run, const char *name, char *out, size_t room);
/** A line a run: method, model, steps, where its numbers ended. */
void report_overview(FILE *to, const report_page *page);
/** Rows, lengths and length bias of the data that the configuration names, a line a file. */
void report_data(FILE *to, const report_run *run);

#endif
