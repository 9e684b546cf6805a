/* Manual pages, in man(7). */
#include "documentation.h"

#include <hone/version.h>
#include <stdbool.h>
#include <string.h>

/** Text as it is: backslashes and dashes mean themselves, and no line begins a request. */
static void put(FILE *out, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        const bool first = i == 0 || text[i - 1] == '\n';
        if (first && (text[i] == '.' || text[i] == '\''))
            (void)fputs("\\&", out);
        if (text[i] == '\\')
            (void)fputs("\\e", out);
        else if (text[i] == '-')
            (void)fputs("\\-", out);
        else if (text[i] == '`')
            (void)fputs("\\(ga", out);
        else if (text[i] == '~')
            (void)fputs("\\(ti", out);
        else if (text[i] == '^')
            (void)fputs("\\(ha", out);
        else
            (void)fputc(text[i], out);
    }
}

static void put_all(FILE *out, const char *text) { put(out, text, strlen(text)); }

/** Paragraphs are separated by empty lines. */
static void put_paragraphs(FILE *out, const char *text) {
    for (const char *at = text; *at != '\0';) {
        const size_t length = strcspn(at, "\n");
        if (length == 0)
            (void)fputs(".PP\n", out);
        else {
            put(out, at, length);
            (void)fputc('\n', out);
        }
        at += length + (at[length] == '\n');
    }
}

static void put_option(void *context, const option_text *option) {
    FILE *out = context;

    (void)fputs(".TP\n", out);
    if (option->letter)
        (void)fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
    (void)fputs("\\fB\\-\\-", out);
    put_all(out, option->name);
    (void)fputs("\\fR", out);
    if (option->argument) {
        (void)fputs("=\\fI", out);
        put_all(out, option->argument);
        (void)fputs("\\fR", out);
    }
    (void)fputc('\n', out);
    put_all(out, option->text ? option->text : "");
    (void)fputc('\n', out);
}

static void put_example(FILE *out, const char *example) {
    (void)fputs(".PP\n.nf\n", out);
    put_all(out, example);
    (void)fputs("\n.fi\n", out);
}

static void put_synopsis(FILE *out, const cli_page *page) {
    (void)fputs(".br\n\\fBhone ", out);
    put_all(out, page->verb);
    (void)fputs("\\fR [\\fIOPTION\\fR...]", out);
    for (int i = 0; i < page->operands; i++) {
        (void)fputs(" \\fI", out);
        put_all(out, page->operand[i]);
        (void)fputs("\\fR", out);
    }
    (void)fputc('\n', out);
}

static void put_title(FILE *out, const char *name, const char *summary) {
    (void)fputs(".TH \"", out);
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '-')
            (void)fputs("\\-", out);
        else
            (void)fputc(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c, out);
    }
    (void)fprintf(out, "\" 1 \"\" \"hone %s\" \"User Commands\"\n.SH NAME\n", hone_version());
    put_all(out, name);
    (void)fputs(" \\- ", out);
    put_all(out, summary);
    (void)fputc('\n', out);
}

static void put_ends(FILE *out) {
    (void)fputs(
        ".SH ENVIRONMENT\n"
        ".TP\nHONE_BACKEND_PATH\nfolders of backend modules, separated by colons (ignored by privileged "
        "processes)\n"
        ".TP\nHONE_JUDGE_KEY\nthe bearer token that the judge \\fBhttp\\fR sends\n"
        ".TP\nNO_COLOR, TERM\nwith NO_COLOR set, or TERM=dumb, progress is plain lines on a terminal too\n"
        ".SH EXIT STATUS\n"
        "0: it was done. 1: it failed; one line on standard error says what, where and what to do. 2: wrong "
        "usage.\n"
        "128 + N: stopped by signal N, what can be kept is kept.\n",
        out);
}

void manual_begin(FILE *out, const verb_info *of) {
    char name[64];

    (void)snprintf(name, sizeof name, "hone-%s", of->name);
    put_title(out, name, of->summary);
}

/** The text behind the first line, which the title has already. */
static const char *body(const char *summary) {
    const char *line = strchr(summary, '\n');
    while (line && *line == '\n')
        line++;
    return line ? line : "";
}

/** A part of several has a section of its own; a verb that does one thing fills the usual ones. */
static void put_heading(FILE *out, bool several, const char *heading, const char *within) {
    if (several)
        (void)fprintf(out, ".PP\n%s%s", within, *within ? "\n" : "");
    else
        (void)fprintf(out, ".SH %s\n", heading);
}

void manual_add(FILE *out, const verb_info *of, const cli_page *page, int part) {
    const bool several = of->parts && of->parts[1];
    const char *text = *body(page->summary) ? body(page->summary) : page->summary;

    if (part == 0)
        (void)fputs(".SH SYNOPSIS\n", out);
    if (several && part == 0)
        (void)fprintf(out, "\\fBhone %s\\fR \\fIPART\\fR [\\fIOPTION\\fR...]\n", of->name);
    if (several)
        (void)fprintf(out, ".SH %s\n", page->verb);
    put_synopsis(out, page);
    put_heading(out, several, "DESCRIPTION", "");
    put_paragraphs(out, text);
    put_heading(out, several, "OPTIONS", "Options:");
    page_options(page, put_option, out);
    (void)fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nshow the options and an example\n", out);
    put_heading(out, several, "EXAMPLES", "Examples:");
    put_example(out, page->example);
}

void manual_end(FILE *out, const verb_info *of) {
    put_ends(out);
    (void)fputs(".SH SEE ALSO\n\\fBhone\\fR(1)", out);
    for (int i = 0; i < hone_verb_count; i++)
        if (strcmp(hone_verbs[i].name, of->name) != 0)
            (void)fprintf(out, ",\n\\fBhone\\-%s\\fR(1)", hone_verbs[i].name);
    (void)fputc('\n', out);
}

void manual_overview(FILE *out) {
    put_title(out, "hone", "language models that improve their own answers, from preference data");
    (void)fputs(
        ".SH SYNOPSIS\n\\fBhone\\fR \\fIVERB\\fR [\\fIOPTION\\fR...]\n.br\n\\fBhone \\-\\-version\\fR\n"
        ".SH DESCRIPTION\n"
        "Self\\-Improving Robust Preference Optimization (SRPO, arXiv 2406.01660) trains one network to "
        "answer and to\n"
        "improve an answer that it is shown, offline, with one supervised loss; at run time it revises its "
        "own output.\n"
        "The baselines SFT, DPO, IPO, RPO and SimPO are here too. Models, adapters, tokenizers and data are "
        "files of\n"
        "the Hugging Face world.\n.PP\n"
        "Results go to standard output, everything else to standard error.\n"
        ".SH VERBS\n",
        out);
    for (int i = 0; i < hone_verb_count; i++) {
        (void)fprintf(out, ".TP\n\\fBhone\\-%s\\fR(1)\n", hone_verbs[i].name);
        put_all(out, hone_verbs[i].summary);
        (void)fputc('\n', out);
    }
    put_ends(out);
}
