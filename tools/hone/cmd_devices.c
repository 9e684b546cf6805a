/* hone devices: what can compute here, and why the rest can't. */
#include "cli.h"
#include "verbs.h"

#include <hone/device.h>
#include <stdio.h>
#include <string.h>

static const char summary[] =
    "hone devices: what can compute here\n\n"
    "Lists every backend that was found, built in or as a module (hone-NAME.so in\n"
    "HONE_BACKEND_PATH and the library's hone folder), with the reason where one can't be used, and\n"
    "which library or kernel serves which matrix products there.";
static const char example[] = "  hone devices\n  HONE_BACKEND_PATH=/opt/hone hone devices --json";

/** A line of the text each, under the device's own. */
static void print_choices(const char *choices) {
    while (choices != NULL && *choices != '\0') {
        const size_t length = strcspn(choices, "\n");
        (void)printf("%-12s   %.*s\n", "", (int)length, choices);
        choices += length + (choices[length] == '\n');
    }
}

static int print_table(const hone_device_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const hone_device_entry *e = &entries[i];
        if (e->reason != NULL)
            (void)printf("%-12s can't be used: %s (%s)\n", e->name, e->reason, e->path);
        else
            (void)printf("%-12s %s; %d units, %.1f GB (%s)\n", e->name, e->detail, e->units,
                         (double)e->memory_bytes / 1e9, e->path);
        print_choices(e->choices);
    }
    return cli_flushed() ? 0 : cli_error("the result could not be written to standard output");
}

static int print_json(const hone_device_entry *entries, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const hone_device_entry *e = &entries[i];
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s?,s:s?,s:s?,s:I,s:i}", "name", e->name, "path", e->path,
                                        "detail", e->detail, "choices", e->choices, "reason", e->reason,
                                        "memory_bytes", (json_int_t)e->memory_bytes, "units", e->units));
    }
    return cli_print_json(list);
}

int hone_cmd_devices(int argc, const char **argv) {
    int json = 0;
    struct poptOption options[] = {
        {"json", '\0', POPT_ARG_NONE, &json, 0, "a JSON list", NULL},
        POPT_TABLEEND,
    };
    hone_device_entry *entries = NULL;
    size_t count = 0;
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code >= 0)
        return code;
    const hone_status status = hone_devices_list(&entries, &count);
    if (status != HONE_OK)
        return cli_fail(status);
    code = json ? print_json(entries, count) : print_table(entries, count);
    hone_devices_free(entries, count);
    return code;
}
