/* The memory plan, by brute force on random programs: every byte that an operation reads was last written as the
 * value that it means to read. And what the plan is for: running allocates nothing, and reads nothing undefined. */
#include "random_program.h"

#include <graph/graph.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PROGRAMS = 400, BLOCKS = 1 << 14 };

static void ok(hone_status status) {
    if (status != HONE_OK)
        fail_msg("%s: %s", hone_status_name(status), hone_message());
}

/* Whose bytes each block of the arena holds. */
static hn_value owner[BLOCKS];

static bool in_arena(const hn_program *program, hn_value value) {
    return value != HN_NONE && program->value[hn_graph_root(program, value)].kind == HN_ACTIVATION;
}

static void expect_owned(const hn_program *program, size_t node, hn_value value) {
    const hn_value root = hn_graph_root(program, value);
    const hn_value_info *info = &program->value[root];
    for (uint64_t b = info->offset / HONE_BUFFER_ALIGNMENT;
         b < (info->offset + info->bytes) / HONE_BUFFER_ALIGNMENT; b++)
        if (owner[b] != root)
            fail_msg("node %zu reads value %d where value %d lies", node, (int)root, (int)owner[b]);
}

static void own(const hn_program *program, hn_value value) {
    const hn_value root = hn_graph_root(program, value);
    const hn_value_info *info = &program->value[root];
    assert_true(info->offset % HONE_BUFFER_ALIGNMENT == 0);
    assert_true(info->offset + info->bytes <= program->arena_bytes);
    for (uint64_t b = info->offset / HONE_BUFFER_ALIGNMENT;
         b < (info->offset + info->bytes) / HONE_BUFFER_ALIGNMENT; b++)
        owner[b] = root;
}

static void replay(const hn_program *program) {
    assert_true(program->arena_bytes / HONE_BUFFER_ALIGNMENT < BLOCKS);
    for (size_t b = 0; b < BLOCKS; b++)
        owner[b] = HN_NONE;
    for (size_t i = 0; i < program->nodes; i++) {
        const hn_node *node = &program->node[i];
        const hn_operation_info *info = hn_operation_describe(node->operation);
        for (int o = 0; o < info->operands; o++)
            if (in_arena(program, node->operand[o]) &&
                (info->operand[o].direction != HN_OUT || (node->accumulate >> o & 1u) != 0))
                expect_owned(program, i, node->operand[o]);
        for (int o = 0; o < info->operands; o++)
            if (in_arena(program, node->operand[o]) && info->operand[o].direction != HN_IN)
                own(program, node->operand[o]);
        for (int o = 0; o < info->operands; o++) /* two outputs in one place? */
            if (in_arena(program, node->operand[o]) && info->operand[o].direction != HN_IN)
                expect_owned(program, i, node->operand[o]);
    }
    for (size_t v = 0; v < program->values; v++)
        if (program->value[v].output)
            expect_owned(program, program->nodes, (hn_value)v);
}

static uint64_t sum_of_values(const hn_program *program) {
    uint64_t sum = 0;
    for (size_t v = 0; v < program->values; v++)
        if (program->value[v].kind == HN_ACTIVATION && program->value[v].root == (hn_value)v)
            sum += program->value[v].bytes;
    return sum;
}

static void test_values_never_overlap(void **state) {
    uint64_t planned = 0, naive = 0;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        static rp p;
        memset(&p, 0, sizeof p);
        p.recompute = (int64_t)(seed % 3) * 4;
        ok(rp_create(&p, *state, seed, 2 + (int)(seed % 14), seed % 4 != 0, 9, 40));
        replay(p.program);
        planned += p.program->arena_bytes;
        naive += sum_of_values(p.program);
        rp_destroy(&p);
    }
    assert_true(planned < naive / 2);
}

/* The arena full of NaN before a run, or full of zeros: the same bits. */
static void run_from(rp *p, double filling, double *out) {
    const size_t count = p->program->arena_bytes / sizeof(double);
    double *arena = NULL;

    ok(hn_alloc(&arena, count, sizeof *arena, "arena"));
    for (size_t i = 0; i < count; i++)
        arena[i] = filling;
    ok(hn_upload(p->device, p->program->arena, 0, arena, count * sizeof *arena));
    hn_free(arena);
    ok(rp_forward(p, out));
    ok(rp_backward(p, false));
    for (int i = 0, at = (int)p->edges; i < p->parameters; i++)
        if (p->parameter[i].trainable) {
            ok(rp_download(p, &p->parameter[i].gradient, out + at, p->parameter[i].count));
            at += (int)p->parameter[i].count;
        }
}

static void test_nothing_undefined_is_read(void **state) {
    static double first[1 << 17], second[1 << 17];
    for (uint64_t seed = 1; seed <= 60; seed++) {
        static rp p;
        memset(&p, 0, sizeof p);
        memset(first, 0, sizeof first);
        memset(second, 0, sizeof second);
        p.recompute = (int64_t)(seed % 3) * 4;
        ok(rp_create(&p, *state, seed, 2 + (int)(seed % 14), true, 9, 40));
        ok(rp_pack(&p));
        run_from(&p, NAN, first);
        run_from(&p, 0.0, second);
        assert_memory_equal(first, second, sizeof first);
        rp_destroy(&p);
    }
}

/* Log-probabilities and all gradients, with the first `recompute` blocks run again in backward; returns the nodes. */
static size_t run_recomputing(hone_device *device, uint64_t seed, int steps, int64_t recompute, double *out) {
    static rp p;
    memset(&p, 0, sizeof p);
    p.recompute = recompute;
    ok(rp_create(&p, device, seed, steps, true, 30, 40));
    ok(rp_pack(&p));
    run_from(&p, NAN, out);
    const size_t nodes = p.program->nodes;
    rp_destroy(&p);
    return nodes;
}

static void test_recomputing_changes_no_bits(void **state) {
    static double kept[1 << 17], again[1 << 17];
    size_t more = 0;
    for (uint64_t seed = 1; seed <= 80; seed++) {
        const int steps = seed % 2 == 0 ? -4 : 3 + (int)(seed % 12);
        memset(kept, 0, sizeof kept);
        const size_t nodes = run_recomputing(*state, seed, steps, 0, kept);
        for (int64_t recompute = 1; recompute <= 16; recompute *= 2) {
            memset(again, 0, sizeof again);
            more += run_recomputing(*state, seed, steps, recompute, again) - nodes;
            assert_memory_equal(kept, again, sizeof kept);
        }
    }
    assert_true(more > 1000); /* that something was run again */
}

/* Of a recomputed layer only what enters it is kept. */
static void test_recomputing_saves(void **state) {
    uint64_t arena[9];
    for (int64_t recompute = 0; recompute <= 8; recompute++) {
        static rp p;
        memset(&p, 0, sizeof p);
        p.all_trainable = true;
        p.recompute = recompute;
        ok(rp_create(&p, *state, 5, -8, true, 30, 40));
        arena[recompute] = hn_program_plan(p.program).arena;
        rp_destroy(&p);
        /* The last ones are needed at once: little or nothing is gained by them. */
        assert_true(recompute == 0 || arena[recompute] < arena[recompute - 1] ||
                    (recompute > 6 && arena[recompute] == arena[recompute - 1]));
    }
    assert_true(2 * arena[8] < arena[0]);
}

static void test_blocks_that_are_wrong(void **state) {
    static const int64_t budget[HN_SYMBOL_COUNT] = {0, 4, 4, 4, 4, 4, 4};
    hn_program *p = NULL;
    for (int kind = 0; kind < 3; kind++) {
        ok(hn_program_create(*state, HONE_F32, false, budget, &p));
        if (kind != 1)
            hn_program_block_begin(p);
        if (kind == 0)
            hn_program_block_begin(p);
        if (kind == 1)
            hn_program_block_end(p);
        assert_int_equal(hn_program_finish(p), HONE_ERROR_ARGUMENT);
        assert_non_null(strstr(hone_message(), "block"));
        hn_program_destroy(p);
    }
}

static void test_running_allocates_nothing(void **state) {
    static rp p;
    float logp[2 * RP_TOKENS] = {0};

    memset(&p, 0, sizeof p);
    ok(rp_create(&p, *state, 5, -2, true, 30, 40));
    ok(rp_pack(&p));
    const uint64_t bytes = hone_device_peak_bytes(*state);
    const int64_t allocations = hn_memory_allocations();
    for (int step = 0; step < 3; step++) {
        ok(rp_pack(&p));
        ok(hn_program_forward(p.program));
        ok(hn_program_download(p.program, p.logp, logp));
        ok(hn_program_seed(p.program, logp));
        ok(hn_program_backward(p.program, step > 0));
    }
    assert_int_equal(hn_memory_allocations(), allocations);
    assert_int_equal(hone_device_peak_bytes(*state), bytes);
    rp_destroy(&p);
}

/* What is kept for backward must not be kept when there is none. */
static void test_inference_is_smaller(void **state) {
    static rp p;
    uint64_t arena[2];
    for (int training = 0; training < 2; training++) {
        memset(&p, 0, sizeof p);
        p.all_trainable = true;
        ok(rp_create(&p, *state, 5, -6, training == 1, 30, 40));
        arena[training] = hn_program_plan(p.program).arena;
        rp_destroy(&p);
    }
    assert_true(4 * arena[0] < arena[1]);
}

static void test_failing_allocations(void **state) {
    for (int64_t n = 1; n < 2000; n += 1 + n / 20) {
        static rp p;
        memset(&p, 0, sizeof p);
        p.recompute = n % 2 * 3;
        hn_memory_fail_at(n);
        const hone_status status = rp_create(&p, *state, 9, 6, true, 9, 12);
        hn_memory_fail_at(0);
        assert_true(status == HONE_OK || status == HONE_ERROR_MEMORY);
        rp_destroy(&p);
    }
    assert_int_equal(hone_device_bytes(*state), 0);
}

static int set_up(void **state) {
    return hone_device_open(NULL, NULL, (hone_device **)state) == HONE_OK ? 0 : -1;
}

static int tear_down(void **state) {
    hone_device_close(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_never_overlap),        cmocka_unit_test(test_nothing_undefined_is_read),
        cmocka_unit_test(test_recomputing_changes_no_bits), cmocka_unit_test(test_recomputing_saves),
        cmocka_unit_test(test_blocks_that_are_wrong),       cmocka_unit_test(test_running_allocates_nothing),
        cmocka_unit_test(test_inference_is_smaller),        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
