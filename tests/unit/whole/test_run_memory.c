/* The memory plan of a run against what the run then holds. */
#include "tiny_run.h"

#include <stdatomic.h>

#include <train/metrics.h>
#include <train/plan.h>

static void ok(hone_status status) {
    if (status != HONE_OK)
        fail_msg("%s: %s", hone_status_name(status), hone_message());
}

/* `more`: names and values in turn, NULL at the end; a value of "" is a flag. */
static void fill(hone_train_options *options, const char *out, const char *const *more) {
    char *model = tr_place("model"), *data = tr_place("pairs.jsonl"), *run = tr_place(out);

    ok(hone_train_options_init(options));
    tr_set(options, "model", model);
    tr_set(options, "data", data);
    tr_set(options, "out", run);
    tr_set(options, "cache", run);
    tr_set(options, "method", "srpo");
    tr_set(options, "lr", "1e-2");
    tr_set(options, "batch-pairs", "3");
    tr_set(options, "pack-tokens", "160");
    tr_set(options, "threads", "1");
    for (size_t i = 0; more[i] != NULL; i += 2)
        tr_set(options, more[i], more[i + 1][0] != '\0' ? more[i + 1] : NULL);
    ok(hone_train_options_check(options));
    hn_free(model);
    hn_free(data);
    hn_free(run);
}

static uint64_t bytes_of(const hone_train_memory *memory, const char *name, hone_memory_phase phase) {
    for (int i = 0; i < memory->lines; i++)
        if (strcmp(memory->line[i].name, name) == 0)
            return memory->line[i].bytes[phase];
    return 0;
}

static void check_sums(const hone_train_memory *memory) {
    uint64_t most = 0;
    for (int p = 0; p < HONE_MEMORY_PHASES; p++) {
        uint64_t sum = 0;
        for (int i = 0; i < memory->lines; i++)
            sum += memory->line[i].bytes[p];
        assert_true(sum == memory->sum[p]);
        most = sum > most ? sum : most;
    }
    assert_true(memory->peak == most && memory->sum[memory->phase] == most);
}

/* What is on the device in the steps: to the byte, but for the optimizer's scalars and the rotary frequencies. */
static void check_run(const char *out, const char *const *more) {
    static const char *const on_device[] = {"weights",          "adapter",           "gradients",
                                            "moments",          "activations",       "inputs",
                                            "scratch",          "reference weights", "reference activations",
                                            "reference scratch"};
    static const hone_train_observer silent = {0};
    hone_train_options options;
    hone_train_memory memory;
    hn_run_state run;
    uint64_t planned = 0;

    fill(&options, out, more);
    ok(hone_train_plan(&options, &memory));
    check_sums(&memory);
    for (size_t i = 0; i < sizeof on_device / sizeof *on_device; i++)
        planned += bytes_of(&memory, on_device[i], HONE_MEMORY_STEPS);
    char *folder = tr_place(out);
    assert_false(hn_folder_exists(folder)); /* planning leaves nothing */
    hn_free(folder);
    ok(hn_run_open(&options, &silent, &run));
    const uint64_t held = hone_device_bytes(run.device);
    if (!(held <= planned + 4096 && planned <= held + 65536))
        fail_msg("%s: planned %llu, held %llu", out, (unsigned long long)planned, (unsigned long long)held);
    assert_true(hn_device_host_bytes(run.device) - held ==
                bytes_of(&memory, "kernels' scratch", HONE_MEMORY_STEPS));
    hn_run_close(&run);
    hone_train_options_clear(&options);
}

static void test_plan_is_what_is_held(void **state) {
    (void)state;
    check_run("lora", (const char *const[]){NULL});
    check_run("dropout", (const char *const[]){"lora-dropout", "0.1", "lora-targets", "all-linear", NULL});
    check_run("full", (const char *const[]){"full", "", NULL});
    check_run("sequences", (const char *const[]){"pack", "sequences", "pack-tokens", "512", NULL});
    check_run("naive", (const char *const[]){"pack", "naive", "pack-tokens", "512", NULL});
    check_run("naive-full", (const char *const[]){"pack", "naive", "pack-tokens", "512", "full", "", NULL});
    check_run("simpo", (const char *const[]){"method", "simpo", NULL});
}

/* Budgets follow the data: --pack-tokens beyond what a micro-batch can fill costs nothing. */
static void test_room_follows_the_data(void **state) {
    hone_train_options options;
    hone_train_memory small, large;
    (void)state;

    fill(&options, "room", (const char *const[]){"pack-tokens", "2048", NULL});
    ok(hone_train_plan(&options, &small));
    tr_set(&options, "pack-tokens", "4096");
    ok(hone_train_plan(&options, &large));
    assert_true(small.tokens == large.tokens && small.tokens < 256);
    assert_true(bytes_of(&small, "activations", HONE_MEMORY_STEPS) ==
                bytes_of(&large, "activations", HONE_MEMORY_STEPS));
    tr_set(&options, "batch-pairs", "6");
    ok(hone_train_plan(&options, &large));
    assert_true(large.tokens > small.tokens);
    hone_train_options_clear(&options);
}

/* Three steps with the first `recompute` layers run again in backward; the digest of what was trained. */
static void train(const char *out, const char *const *more, int64_t recompute, char digest[33]) {
    static const hone_train_observer silent = {0};
    hone_train_options options;
    hone_train_metrics metrics;
    hn_pack_budget budget;
    hn_run_state run;

    fill(&options, out, more);
    ok(hn_run_open(&options, &silent, &run));
    ok(hn_run_training_budget(&run, &budget));
    budget.network.recompute = recompute;
    hn_network_destroy(run.network);
    ok(hn_network_create(run.model, run.adapter, true, 5, &budget.network, &run.network));
    for (int i = 0; i < 3; i++)
        ok(hn_run_step(&run, &metrics));
    ok(hn_parameters_digest(run.trained, digest));
    hn_run_close(&run);
    hone_train_options_clear(&options);
}

static void check_bits(const char *out, const char *const *more) {
    char kept[33], again[33], name[64];

    for (int64_t recompute = 0; recompute <= 2; recompute++) {
        (void)snprintf(name, sizeof name, "%s-%d", out, (int)recompute);
        train(name, more, recompute, recompute == 0 ? kept : again);
        if (recompute > 0)
            assert_string_equal(kept, again);
    }
}

static void test_recomputing_changes_no_bits(void **state) {
    (void)state;
    check_bits("bits-lora", (const char *const[]){"lora-dropout", "0.1", "lora-targets", "all-linear",
                                                  "epochs", "3", NULL});
    check_bits("bits-full", (const char *const[]){"full", "", "epochs", "3", NULL});
}

/* Every malloc of the process (of libraries and stdio too) passes here. Sanitizers have theirs. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTED 0
static atomic_llong mallocs;
#else
#define COUNTED 1
static atomic_llong mallocs;
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *malloc(size_t bytes) {
    atomic_fetch_add(&mallocs, 1);
    return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes) {
    atomic_fetch_add(&mallocs, 1);
    return __libc_calloc(count, bytes);
}
void *realloc(void *memory, size_t bytes) {
    atomic_fetch_add(&mallocs, 1);
    return __libc_realloc(memory, bytes);
}
#endif

/* Steps 3 to 10 (over the end of an epoch, and with packs of several sizes) and their lines of metrics. */
static void check_steps(const char *out, const char *const *more) {
    static const hone_train_observer silent = {0};
    hone_train_options options;
    hone_train_metrics metrics;
    hn_run_state run;
    int64_t allocations = 0;
    long long counted = 0;
    uint64_t held = 0;

    fill(&options, out, more);
    ok(hn_run_open(&options, &silent, &run));
    for (int step = 1; step <= 10; step++) {
        if (step == 3) {
            allocations = hn_memory_allocations();
            counted = atomic_load(&mallocs);
            held = hone_device_peak_bytes(run.device);
        }
        ok(hn_run_step(&run, &metrics));
        ok(hn_metrics_append(run.metrics, NULL, &metrics, options.loss.method));
    }
    if (hn_memory_allocations() != allocations || atomic_load(&mallocs) != counted)
        fail_msg("%s: %lld allocations of hone, %lld of all", out,
                 (long long)(hn_memory_allocations() - allocations),
                 (long long)(atomic_load(&mallocs) - counted));
    assert_true(hone_device_peak_bytes(run.device) == held);
    hn_run_close(&run);
    hone_train_options_clear(&options);
}

static void test_steps_allocate_nothing(void **state) {
    (void)state;
    if (COUNTED)
        assert_true(atomic_load(&mallocs) > 0);
    check_steps("steps-lora", (const char *const[]){"lora-dropout", "0.1", "batch-pairs", "5", "steps", "10",
                                                    "accumulate", "2", NULL});
    check_steps("steps-full", (const char *const[]){"full", "", "steps", "10", "threads", "2", NULL});
    check_steps("steps-sequences", (const char *const[]){"pack", "sequences", "pack-tokens", "512", "method",
                                                         "dpo", "steps", "10", NULL});
    check_steps("steps-naive",
                (const char *const[]){"pack", "naive", "pack-tokens", "512", "steps", "10", NULL});
    check_steps("steps-simpo", (const char *const[]){"method", "simpo", "steps", "10", NULL});
}

static void test_what_can_not_fit(void **state) {
    hone_train_options options;
    hone_train_summary summary;
    hone_train_memory memory;
    (void)state;

    /* The weights alone: nothing is read, so that there is no table. Limits nearer to what is needed are tried in a process
     * of their own, by the tests of the command: the measured part would wander here. */
    fill(&options, "refused", (const char *const[]){"memory-limit", "1M", NULL});
    assert_int_equal(hone_train(&options, NULL, &summary), HONE_ERROR_MEMORY);
    assert_non_null(strstr(hone_message(), "weights alone"));
    assert_non_null(strstr(hone_message(), "--memory-limit is 1.0 MB"));
    assert_non_null(strstr(hone_message(), "--base-dtype"));
    assert_int_equal(hone_train_plan(&options, &memory), HONE_ERROR_MEMORY);
    assert_int_equal(memory.lines, 0);
    char *folder = tr_place("refused");
    assert_false(hn_folder_exists(folder));
    hn_free(folder);
    hone_train_options_clear(&options);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_is_what_is_held), cmocka_unit_test(test_room_follows_the_data),
        cmocka_unit_test(test_recomputing_changes_no_bits), cmocka_unit_test(test_steps_allocate_nothing),
        cmocka_unit_test(test_what_can_not_fit)};
    return cmocka_run_group_tests(tests, tr_set_up, tr_tear_down);
}
