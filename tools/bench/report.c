#include "bench.h"
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *bench_settings(const bench *b) {
    return json_pack("{s:s,s:s,s:i,s:s,s:s?,s:s}", "device", hone_device_name(b->device), "detail",
                     hone_device_detail(b->device), "threads", hone_device_threads(b->device), "model",
                     b->shape != NULL        ? b->shape
                     : b->model_path != NULL ? b->model_path
                                             : "",
                     "peak_isa", b->machine.isa, "products", hone_dtype_name(bench_dtype(b)));
}

json_t *bench_times(const hone_times *times) {
    return json_pack("{s:f,s:f,s:f,s:I}", "median", times->median, "min", times->min, "max", times->max,
                     "runs", (json_int_t)times->runs);
}

hone_dtype bench_dtype(const bench *b) {
    return strstr(hone_device_numerics(b->device), "products bf16") != NULL ? HONE_BF16 : HONE_F32;
}

double bench_peak(const bench *b) {
    return bench_dtype(b) == HONE_BF16 && b->machine.bf16_flops > 0.0 ? b->machine.bf16_flops
                                                                      : b->machine.f32_flops;
}

json_t *bench_share(double value, double of) { return of > 0.0 ? json_real(value / of) : json_null(); }

double bench_number(const json_t *object, const char *path) {
    char key[64];
    const char *dot = strchr(path, '.');

    if (dot == NULL)
        return json_number_value(json_object_get(object, path));
    (void)snprintf(key, sizeof key, "%.*s", (int)(dot - path), path);
    return bench_number(json_object_get(object, key), dot + 1);
}

static void compare(const json_t *now, const json_t *then, const char *path, json_t *ratios);

/** The element of an array with this "name". */
static const json_t *find_named(const json_t *array, const char *name) {
    size_t i = 0;
    json_t *element = NULL;
    json_array_foreach(array, i, element) {
        const char *other = json_string_value(json_object_get(element, "name"));
        if (other != NULL && strcmp(other, name) == 0)
            return element;
    }
    return NULL;
}

static void compare_arrays(const json_t *now, const json_t *then, const char *path, json_t *ratios) {
    char longer[512];
    size_t i = 0;
    json_t *element = NULL;

    json_array_foreach(now, i, element) {
        const char *name = json_string_value(json_object_get(element, "name"));
        if (name == NULL)
            continue;
        (void)snprintf(longer, sizeof longer, "%s[%s]", path, name);
        compare(element, find_named(then, name), longer, ratios);
    }
}

static void compare_objects(const json_t *now, const json_t *then, const char *path, json_t *ratios) {
    char longer[512];
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)now, key, value) {
        if (strcmp(key, "settings") == 0 || strcmp(key, "runs") == 0)
            continue;
        (void)snprintf(longer, sizeof longer, "%s%s%s", path, *path != '\0' ? "." : "", key);
        compare(value, json_object_get(then, key), longer, ratios);
    }
}

static void compare(const json_t *now, const json_t *then, const char *path, json_t *ratios) {
    if (json_is_object(now) && json_is_object(then))
        compare_objects(now, then, path, ratios);
    else if (json_is_array(now) && json_is_array(then))
        compare_arrays(now, then, path, ratios);
    else if (json_is_number(now) && json_is_number(then) && json_number_value(then) != 0.0)
        json_object_set_new(ratios, path, json_real(json_number_value(now) / json_number_value(then)));
}

json_t *bench_compare(const json_t *report, const json_t *earlier) {
    json_t *ratios = json_object();
    compare(report, earlier, "", ratios);
    return ratios;
}

/** What differs but is no figure: the two are not of one thing. */
static void warn_of_settings(const json_t *now, const json_t *then) {
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)now, key, value) {
        const json_t *other = json_object_get(then, key);
        if (other == NULL || json_equal(value, (json_t *)other))
            continue;
        char *is = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT),
             *was = json_dumps(other, JSON_ENCODE_ANY | JSON_COMPACT);
        (void)fprintf(stderr, "hone: warning: \"%s\" is %s, it was %s\n", key, is != NULL ? is : "?",
                      was != NULL ? was : "?");
        free(is);
        free(was);
    }
}

/** The ratios to the earlier report; NULL after printing why not. */
static json_t *ratios_to_earlier(const bench *b, const json_t *report) {
    const char *was = json_string_value(json_object_get(b->earlier, "bench"));

    if (was == NULL || strcmp(was, json_string_value(json_object_get(report, "bench"))) != 0)
        (void)cli_error("--compare %s: an output of `hone %s --json` is wanted", b->compare, b->verb);
    else {
        warn_of_settings(json_object_get(report, "settings"), json_object_get(b->earlier, "settings"));
        return bench_compare(report, b->earlier);
    }
    return NULL;
}

static void print_ratios(const char *file, const json_t *ratios) {
    const char *key = NULL;
    json_t *value = NULL;

    (void)printf("\nagainst %s: now / then\n", file);
    json_object_foreach((json_t *)ratios, key, value)(void)
        printf("  %-44s %8.3f\n", key, json_real_value(value));
}

int bench_report(const bench *b, json_t *report, void (*print)(const json_t *report)) {
    json_t *ratios = NULL;
    int code = 1;

    if (report == NULL)
        return cli_error("out of memory, or a figure that is not a number");
    if (b->compare != NULL && (ratios = ratios_to_earlier(b, report)) == NULL)
        goto done;
    if (b->json) {
        if (ratios != NULL)
            json_object_set(report, "compare", ratios);
        code = cli_print_json(json_incref(report));
        goto done;
    }
    print(report);
    if (ratios != NULL)
        print_ratios(b->compare, ratios);
    code = fflush(stdout) == 0 ? 0 : cli_error("the result could not be written to standard output");
done:
    json_decref(ratios);
    json_decref(report);
    return code;
}
