/* Completions for bash and zsh: verbs, their parts, their options, and the words that an option takes. */
#include "documentation.h"

#include <string.h>

static bool ends_with(const char *text, const char *end) {
    const size_t length = strlen(text), count = strlen(end);
    return length >= count && strcmp(text + length - count, end) == 0;
}

/** Whether an argument is a folder, a file, or neither. */
static const char *kind_of(const char *argument) {
    if (ends_with(argument, "DIR") || strcmp(argument, "RUN") == 0)
        return "dir";
    return strstr(argument, "FILE") != NULL || strstr(argument, ".svg") != NULL ? "file" : NULL;
}

static void bash_name(void *context, const option_text *option) {
    (void)fprintf(context, " --%s", option->name);
}

typedef struct words {
    FILE *out;
    const cli_page *page;
} words;

static void bash_value(void *context, const option_text *option) {
    const words *w = context;
    const char *values = option_values(option->name, w->page->verb);

    if (!option->argument)
        return;
    if (values)
        (void)fprintf(w->out, "    '%s --%s') __hone_words='%s' ;;\n", w->page->verb, option->name, values);
    else if (kind_of(option->argument))
        (void)fprintf(w->out, "    '%s --%s') __hone_kind=%s ;;\n", w->page->verb, option->name,
                      kind_of(option->argument));
    else
        (void)fprintf(w->out, "    '%s --%s') __hone_kind=none ;;\n", w->page->verb, option->name);
}

void bash_begin(FILE *out) {
    (void)fputs("# hone(1) completion for bash, written by hone from its own tables.\n\n"
                "# What may follow option $2 of verb $1: words, folders, files or something free.\n"
                "__hone_value() {\n    case \"$1 $2\" in\n",
                out);
}

void bash_add(FILE *out, const cli_page *page) {
    words w = {out, page};
    page_options(page, bash_value, &w);
}

/** The options of each verb: the pages are walked a second time. */
void bash_options(FILE *out, const cli_page *page) {
    (void)fprintf(out, "    '%s') __hone_words='--help", page->verb);
    page_options(page, bash_name, out);
    (void)fputs("' ;;\n", out);
}

static void bash_parts(FILE *out) {
    (void)fputs("__hone_parts() {\n    case \"$1\" in\n", out);
    for (int i = 0; i < hone_verb_count; i++) {
        if (!hone_verbs[i].parts)
            continue;
        (void)fprintf(out, "    %s) __hone_words='", hone_verbs[i].name);
        for (int k = 0; hone_verbs[i].parts[k]; k++)
            (void)fprintf(out, "%s%s", k > 0 ? " " : "", hone_verbs[i].parts[k]);
        (void)fputs("' ;;\n", out);
    }
    (void)fputs("    esac\n}\n\n", out);
}

void bash_middle(FILE *out) { (void)fputs("    esac\n}\n\n__hone_options() {\n    case \"$1\" in\n", out); }

void bash_end(FILE *out) {
    (void)fputs("    esac\n}\n\n", out);
    bash_parts(out);
    (void)fputs(
        "_hone() {\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}\n"
        "    local __hone_words= __hone_kind=\n"
        "    COMPREPLY=()\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "        COMPREPLY=($(compgen -W '--help --version",
        out);
    for (int i = 0; i < hone_verb_count; i++)
        (void)fprintf(out, " %s", hone_verbs[i].name);
    (void)fputs("' -- \"$cur\"))\n"
                "        return\n"
                "    fi\n"
                "    __hone_parts \"$verb\"\n"
                "    if [ -n \"$__hone_words\" ]; then\n"
                "        if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
                "            COMPREPLY=($(compgen -W \"$__hone_words\" -- \"$cur\"))\n"
                "            return\n"
                "        fi\n"
                "        verb=\"$verb ${COMP_WORDS[2]}\"\n"
                "        __hone_words=\n"
                "    fi\n"
                "    # --option=value comes as three words.\n"
                "    [ \"$cur\" != = ] || cur=\n"
                "    [ \"$previous\" != = ] || previous=${COMP_WORDS[COMP_CWORD-2]}\n"
                "    __hone_value \"$verb\" \"$previous\"\n"
                "    if [ -n \"$__hone_words\" ]; then\n"
                "        COMPREPLY=($(compgen -W \"$__hone_words\" -- \"$cur\"))\n"
                "    elif [ \"$__hone_kind\" = dir ]; then\n"
                "        COMPREPLY=($(compgen -d -- \"$cur\"))\n"
                "    elif [ \"$__hone_kind\" = file ]; then\n"
                "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                "    elif [ \"$__hone_kind\" = none ]; then\n"
                "        return\n"
                "    elif [ \"${cur#-}\" != \"$cur\" ]; then\n"
                "        __hone_options \"$verb\"\n"
                "        COMPREPLY=($(compgen -W \"$__hone_words\" -- \"$cur\"))\n"
                "    else\n"
                "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                "    fi\n"
                "}\n"
                "complete -o filenames -F _hone hone\n",
                out);
}

/** Within single quotes, and within the brackets and colons of _arguments. */
static void zsh_text(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", out);
        else if (strchr("[]:\\", *text) != NULL)
            (void)fprintf(out, "\\%c", *text);
        else
            (void)fputc(*text, out);
    }
}

static void zsh_option(void *context, const option_text *option) {
    const words *w = context;
    const char *values = option_values(option->name, w->page->verb);

    (void)fprintf(w->out, "            '--%s%s[", option->name, option->argument ? "=" : "");
    zsh_text(w->out, option->text ? option->text : "");
    (void)fputc(']', w->out);
    if (option->argument) {
        (void)fputc(':', w->out);
        zsh_text(w->out, option->argument);
        (void)fputc(':', w->out);
        if (values)
            (void)fprintf(w->out, "(%s)", values);
        else if (kind_of(option->argument))
            (void)fputs(strcmp(kind_of(option->argument), "dir") == 0 ? "_files -/" : "_files", w->out);
    }
    (void)fputs("' \\\n", w->out);
}

void zsh_begin(FILE *out) {
    (void)fputs(
        "#compdef hone\n# hone(1) completion for zsh, written by hone from its own tables.\n\n_hone() {\n"
        "    local -a verbs\n    verbs=(\n",
        out);
    for (int i = 0; i < hone_verb_count; i++) {
        (void)fprintf(out, "        '%s:", hone_verbs[i].name);
        zsh_text(out, hone_verbs[i].summary);
        (void)fputs("'\n", out);
    }
    (void)fputs("    )\n"
                "    if (( CURRENT == 2 )); then\n"
                "        _describe -t verbs 'hone verb' verbs\n"
                "        return\n"
                "    fi\n"
                "    local verb=${words[2]}\n"
                "    case $verb in\n",
                out);
    for (int i = 0; i < hone_verb_count; i++) {
        if (!hone_verbs[i].parts)
            continue;
        (void)fprintf(out, "        %s)\n            if (( CURRENT == 3 )); then\n                compadd",
                      hone_verbs[i].name);
        for (int k = 0; hone_verbs[i].parts[k]; k++)
            (void)fprintf(out, " %s", hone_verbs[i].parts[k]);
        (void)fputs("\n                return\n            fi\n            verb=\"$verb ${words[3]}\" ;;\n",
                    out);
    }
    (void)fputs("    esac\n    case $verb in\n", out);
}

void zsh_add(FILE *out, const cli_page *page) {
    words w = {out, page};

    (void)fprintf(out, "        '%s')\n            _arguments '--help[show the options and an example]' \\\n",
                  page->verb);
    page_options(page, zsh_option, &w);
    (void)fputs("            '*:file:_files' ;;\n", out);
}

void zsh_end(FILE *out) { (void)fputs("    esac\n}\n\n_hone \"$@\"\n", out); }
