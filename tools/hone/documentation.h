/** Manual pages and completions, written from what the verbs say of themselves. */
#ifndef HONE_DOCUMENTATION_H
#define HONE_DOCUMENTATION_H

#include "cli.h"
#include "verbs.h"

#include <stdio.h>

/** An option, whichever table it came from; everything borrowed. */
typedef struct option_text {
    const char *name;            /* without dashes */
    char letter;                 /* 0: none */
    const char *text, *argument; /* argument NULL: it takes none */
} option_text;

/** Calls `each` for the page's options, --help left out. */
void page_options(const cli_page *page, void (*each)(void *context, const option_text *option),
                  void *context);
/** The words that an option takes, separated by blanks; NULL: anything. */
const char *option_values(const char *name, const char *verb);

/** hone-VERB(1) is begun, its pages (a verb has one for each of its parts) are added, and it is ended. */
void manual_begin(FILE *out, const verb_info *of);
void manual_add(FILE *out, const verb_info *of, const cli_page *page, int part);
void manual_end(FILE *out, const verb_info *of);
/** hone(1). */
void manual_overview(FILE *out);

/** The pages go by twice: bash_add for each, bash_middle, bash_options for each. */
void bash_begin(FILE *out);
void bash_add(FILE *out, const cli_page *page);
void bash_middle(FILE *out);
void bash_options(FILE *out, const cli_page *page);
void bash_end(FILE *out);

void zsh_begin(FILE *out);
void zsh_add(FILE *out, const cli_page *page);
void zsh_end(FILE *out);

#endif
