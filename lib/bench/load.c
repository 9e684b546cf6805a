#include <bench/times.h>
#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <hone/sample.h>
#include <model/parameters.h>
#include <string.h>

typedef struct loaded {
    hone_tokenizer *tokenizer;
    hone_template *form;
    hone_model *model;
    hone_sampler *sampler;
    hone_answer answer;
} loaded;

static void unload(loaded *l) {
    hone_answer_clear(&l->answer);
    hone_sampler_destroy(l->sampler);
    hone_model_destroy(l->model);
    hone_template_destroy(l->form);
    hone_tokenizer_destroy(l->tokenizer);
    memset(l, 0, sizeof *l);
}

static hone_status write_token(loaded *l) {
    static const char *const prompt = "Hello";
    hone_sample_options options = hone_sample_defaults();

    options.max_tokens = 1;
    options.batch = 1;
    HN_TRY(hone_sampler_create(l->model, NULL, l->tokenizer, l->form, &options, &l->sampler));
    return hone_sampler_run(l->sampler, &prompt, 1, NULL, NULL, &l->answer);
}

/** Seconds of the tokenizer, of the model, to the first token, of all. */
typedef double moments[4];

static hone_status load_once(hone_device *device, const char *folder, loaded *l, moments at) {
    const double began = hn_seconds();

    HN_TRY(hone_tokenizer_open(folder, &l->tokenizer));
    HN_TRY(hone_template_open("plain", l->tokenizer, &l->form));
    const double tokenizer = hn_seconds();
    HN_TRY(hone_model_open(device, folder, &l->model));
    HN_TRY(hn_synchronise(device));
    const double model = hn_seconds();
    HN_TRY(write_token(l));
    const double ready = hn_seconds();
    at[0] = tokenizer - began;
    at[1] = model - tokenizer;
    at[2] = ready - model;
    at[3] = ready - began;
    return HONE_OK;
}

/** Bytes of the folder's safetensors files. */
static hone_status count_file_bytes(const char *folder, double *bytes) {
    static const char ending[] = ".safetensors";
    char **names = NULL, *path = NULL;
    size_t count = 0;
    hone_status status = HONE_OK;

    *bytes = 0.0;
    HN_GO(hn_folder_list(folder, &names, &count));
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(names[i]);
        hn_map map;
        if (length < sizeof ending || strcmp(names[i] + length - (sizeof ending - 1), ending) != 0)
            continue;
        HN_GO(hn_path_join(folder, names[i], &path));
        HN_GO(hn_map_open(path, &map));
        *bytes += (double)map.size;
        hn_map_close(&map);
        hn_free(path);
        path = NULL;
    }
done:
    hn_free(path);
    hn_names_free(names, count);
    return status;
}

static hone_times times_of(const moments *at, int which, int64_t runs, double *seconds) {
    for (int64_t i = 0; i < runs; i++)
        seconds[i] = at[i][which];
    return hn_times_of(seconds, runs);
}

hone_status hone_bench_load(hone_device *device, const char *folder, int64_t warmup, int64_t runs,
                            hone_bench_load_result *result) {
    loaded l = {0};
    moments *at = NULL, ignored;
    double *seconds = NULL;
    hone_status status = HONE_OK;

    memset(result, 0, sizeof *result);
    HN_TRY(hn_bench_check_runs(warmup, runs));
    HN_GO(hn_alloc(&at, (size_t)runs, sizeof *at, "times"));
    HN_GO(hn_alloc(&seconds, (size_t)runs, sizeof *seconds, "times"));
    for (int64_t i = -warmup; i < runs; i++) {
        HN_GO(load_once(device, folder, &l, i < 0 ? ignored : at[i]));
        result->parameters = hone_model_parameters(l.model);
        result->weight_bytes = (double)hn_model_weights(l.model)->bytes;
        unload(&l);
    }
    HN_GO(count_file_bytes(folder, &result->file_bytes));
    result->tokenizer = times_of((const moments *)at, 0, runs, seconds);
    result->model = times_of((const moments *)at, 1, runs, seconds);
    result->first_token = times_of((const moments *)at, 2, runs, seconds);
    result->ready = times_of((const moments *)at, 3, runs, seconds);
done:
    unload(&l);
    hn_free(at);
    hn_free(seconds);
    return status;
}
