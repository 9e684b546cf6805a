#include "answers.h"

#include "cli.h"

#include <hone/data.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void answers_init(answers *a) {
    memset(a, 0, sizeof *a);
    a->drawing = drawing_defaults();
    a->revisions = 1;
}

void answers_close(answers *a) {
    session_close(&a->session);
    free(a->prompt);
    free(a->data);
    free(a->keep);
}

/** Text as it is written, when one prompt is answered for a reader. */
typedef struct writer {
    long long draft; /**< -1: nothing yet */
    int numbered;
} writer;

static void write_piece(void *context, int64_t prompt, int64_t draft, const char *piece) {
    writer *w = context;
    (void)prompt;
    if (draft != w->draft && w->numbered)
        (void)printf("%s[%lld] ", w->draft >= 0 ? "\n" : "", (long long)draft);
    w->draft = draft;
    (void)fputs(piece, stdout);
    (void)fflush(stdout);
}

static json_t *token_list(const hone_ids *ids) {
    json_t *list = json_array();
    for (int64_t i = 0; i < ids->count; i++)
        json_array_append_new(list, json_integer(ids->data[i]));
    return list;
}

static json_t *draft_json(const hone_draft *d) {
    return json_pack("{s:s,s:o,s:f,s:b,s:I,s:I}", "text", d->text, "tokens", token_list(&d->tokens), "logp",
                     d->logp, "ended", (int)d->ended, "prefilled", (json_int_t)d->prefilled, "reused",
                     (json_int_t)d->reused);
}

/** {"text","tokens",..} of one draft, or {"drafts":[..]}, with the one that was kept. */
static int print_json(const hone_answer *answer, int revise, int64_t kept, const double *score) {
    if (!revise)
        return cli_print_json(draft_json(&answer->draft[0]));
    json_t *list = json_array();
    for (int64_t i = 0; i < answer->drafts; i++) {
        json_t *draft = draft_json(&answer->draft[i]);
        if (score != NULL)
            json_object_set_new(draft, "improvability", json_real(-score[i]));
        json_array_append_new(list, draft);
    }
    json_t *object = json_pack("{s:o}", "drafts", list);
    if (kept >= 0)
        json_object_set_new(object, "kept", json_integer(kept));
    return cli_print_json(object);
}

static int print_text(const hone_answer *answer, int revise) {
    for (int64_t i = 0; i < answer->drafts; i++) {
        if (revise)
            (void)printf("[%lld] ", (long long)i);
        if (puts(answer->draft[i].text) == EOF)
            return cli_error("the result could not be written to standard output");
    }
    return 0;
}

static int keeps(const answers *a, const char *which) {
    return a->keep != NULL && strcmp(a->keep, which) == 0;
}

/** The draft that is kept; -1 when none was asked for. Least improvability gives every draft a score, too. */
static int choose(const answers *a, const char *prompt, const hone_answer *answer, int64_t *kept,
                  double **score) {
    const session *s = &a->session;
    *kept = keeps(a, "likeliest") ? hone_answer_likeliest(answer) : -1;
    if (!keeps(a, "best"))
        return 0;
    *score = calloc((size_t)answer->drafts, sizeof **score);
    if (*score == NULL)
        return cli_error("out of memory");
    const hone_status status = hone_answer_best(s->model, s->adapter, s->reference, s->tokenizer, s->form,
                                                prompt, answer, kept, *score);
    return status == HONE_OK ? 0 : cli_fail(status);
}

static int print_answer(const answers *a, const char *prompt, const hone_answer *answer, int revise,
                        int streamed) {
    int64_t kept = -1;
    double *score = NULL;
    if (answer->drafts == 0)
        return 0;
    int code = choose(a, prompt, answer, &kept, &score);

    if (code == 0 && a->json)
        code = print_json(answer, revise, kept, score);
    else if (code == 0 && !streamed)
        code = print_text(answer, revise);
    if (code == 0 && !a->json && kept >= 0)
        code = printf("kept: [%lld] %s\n", (long long)kept, answer->draft[kept].text) < 0;
    free(score);
    return code;
}

static hone_status make_sampler(const answers *a, int64_t count, hone_sampler **sampler) {
    const session *s = &a->session;
    hone_sample_options options = {.revisions = a->revisions};

    drawing_fill(&a->drawing, &options);
    options.batch = options.batch < count ? options.batch : count;
    return hone_sampler_create(s->model, s->adapter, s->tokenizer, s->form, &options, sampler);
}

/** The prompts of one batch, answered and printed. */
static int answer_group(const answers *a, hone_sampler *sampler, const char *const *prompts, int64_t count,
                        int revise, int streamed) {
    hone_answer *answer = calloc((size_t)count, sizeof *answer);
    writer w = {.draft = -1, .numbered = revise};

    if (answer == NULL)
        return cli_error("out of memory");
    const hone_status status =
        hone_sampler_run(sampler, prompts, count, streamed ? write_piece : NULL, &w, answer);
    if (streamed && status == HONE_OK)
        (void)putchar('\n');
    int code = status == HONE_OK ? 0 : cli_fail(status);
    for (int64_t i = 0; i < count; i++) {
        if (code == 0)
            code = print_answer(a, prompts[i], &answer[i], revise, streamed);
        hone_answer_clear(&answer[i]);
    }
    free(answer);
    if (code == 0 && fflush(stdout) != 0)
        code = cli_error("the result could not be written to standard output");
    return code;
}

/** Batch by batch: a long list shows its first answers soon, and keeps them when a later prompt can't be answered. */
static int answer_all(const answers *a, const char *const *prompts, int64_t count, int revise) {
    const int64_t batch = a->drawing.batch;
    hone_sampler *sampler = NULL;
    const hone_status status = make_sampler(a, count, &sampler);
    int code = status == HONE_OK ? 0 : cli_fail(status);

    for (int64_t i = 0; code == 0 && i < count; i += batch) {
        const int64_t group = count - i < batch ? count - i : batch;
        code = answer_group(a, sampler, prompts + i, group, revise, count == 1 && !a->json);
    }
    hone_sampler_destroy(sampler);
    return code;
}

static int answer_data(const answers *a, int revise) {
    hone_dataset *data = NULL;
    const hone_status status = hone_dataset_open(a->data, HONE_DATA_PROMPT, &data);
    int code = 1;

    if (status != HONE_OK)
        return cli_fail(status);
    int64_t count = hone_dataset_count(data);
    count = a->limit > 0 && a->limit < count ? a->limit : count;
    const char **prompts = calloc((size_t)count, sizeof *prompts);
    if (prompts == NULL)
        code = cli_error("out of memory");
    else {
        for (int64_t i = 0; i < count; i++)
            prompts[i] = hone_dataset_row(data, i)->prompt;
        code = answer_all(a, prompts, count, revise);
    }
    free((void *)prompts);
    hone_dataset_destroy(data);
    return code;
}

static int check(const answers *a, const char *verb) {
    if ((a->prompt == NULL) == (a->data == NULL))
        return cli_usage(verb, "give one of --prompt and --data");
    if (a->keep != NULL && !keeps(a, "best") && !keeps(a, "likeliest"))
        return cli_usage(verb, "--keep \"%s\": must be best or likeliest", a->keep);
    if (keeps(a, "best") && a->session.adapter_path == NULL && a->session.reference_path == NULL)
        return cli_usage(verb, "--keep best compares with a reference: pass --reference, or an --adapter");
    return 0;
}

int answers_run(answers *a, const char *verb, int revise) {
    int code = check(a, verb);

    if (code == 0)
        code = session_open(&a->session, verb);
    if (code == 0) {
        const char *const one[] = {a->prompt};
        code = a->prompt != NULL ? answer_all(a, one, 1, revise) : answer_data(a, revise);
    }
    return code;
}
