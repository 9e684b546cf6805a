/* hone documentation: the manual pages and completions that are installed. The build runs it. */
#include "documentation.h"

#include <errno.h>
#include <string.h>

static const char usage[] = "say what to write: hone documentation man FOLDER, bash FILE or zsh FILE";

/** What is written with each page as it comes. */
typedef struct writer {
    FILE *out;
    const verb_info *of;
    int part;
    void (*add)(FILE *out, const cli_page *page); /* NULL: a manual page */
} writer;

static void take(void *context, const cli_page *page) {
    const writer *w = context;
    if (w->add)
        w->add(w->out, page);
    else
        manual_add(w->out, w->of, page, w->part);
}

/** A verb, or each of its parts, says what it does. */
static void describe(writer *w, const verb_info *of) {
    w->of = of;
    w->part = 0;
    cli_describe_with(take, w);
    do {
        const char *argv[] = {of->name, of->parts ? of->parts[w->part] : NULL, NULL};
        (void)of->run(of->parts ? 2 : 1, argv);
        w->part++;
    } while (of->parts && of->parts[w->part]);
    cli_describe_with(NULL, NULL);
}

static void describe_all(FILE *out, void (*add)(FILE *out, const cli_page *page)) {
    writer w = {.out = out, .add = add};
    for (int i = 0; i < hone_verb_count; i++)
        describe(&w, &hone_verbs[i]);
}

static FILE *create(const char *path) {
    FILE *out = fopen(path, "w");
    if (!out)
        (void)cli_error("%s: %s: is the path right?", path, strerror(errno));
    return out;
}

static int finish(FILE *out, const char *path) {
    const int failed = ferror(out);
    return (fclose(out) != 0) | failed ? cli_error("%s: could not be written whole", path) : 0;
}

static int write_manual(const char *folder, const verb_info *of) {
    char path[4096];
    writer w = {0};

    (void)snprintf(path, sizeof path, "%s/hone%s%s.1", folder, of ? "-" : "", of ? of->name : "");
    w.out = create(path);
    if (!w.out)
        return 1;
    if (of) {
        manual_begin(w.out, of);
        describe(&w, of);
        manual_end(w.out, of);
    } else
        manual_overview(w.out);
    return finish(w.out, path);
}

static int write_manuals(const char *folder) {
    int code = write_manual(folder, NULL);
    for (int i = 0; i < hone_verb_count && code == 0; i++)
        code = write_manual(folder, &hone_verbs[i]);
    return code;
}

static int write_bash(const char *path) {
    FILE *out = create(path);
    if (!out)
        return 1;
    bash_begin(out);
    describe_all(out, bash_add);
    bash_middle(out);
    describe_all(out, bash_options);
    bash_end(out);
    return finish(out, path);
}

static int write_zsh(const char *path) {
    FILE *out = create(path);
    if (!out)
        return 1;
    zsh_begin(out);
    describe_all(out, zsh_add);
    zsh_end(out);
    return finish(out, path);
}

int hone_cmd_documentation(int argc, const char **argv) {
    if (argc != 3)
        return cli_usage("documentation", "%s", usage);
    if (strcmp(argv[1], "man") == 0)
        return write_manuals(argv[2]);
    if (strcmp(argv[1], "bash") == 0)
        return write_bash(argv[2]);
    if (strcmp(argv[1], "zsh") == 0)
        return write_zsh(argv[2]);
    return cli_usage("documentation", "%s", usage);
}
