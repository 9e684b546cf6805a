#include "values.h"

#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Above every `val` of the verbs. */
enum { FIRST = 1 << 20 };

struct values {
    const struct poptOption *given;
    struct poptOption *table;
    bool *filled; /* a text that was put there by an earlier one of the same option */
    int count;
};

static bool has_value(const struct poptOption *option) {
    const unsigned kind = option->argInfo & POPT_ARG_MASK;
    return option->arg && (kind == POPT_ARG_STRING || kind == POPT_ARG_INT || kind == POPT_ARG_LONGLONG ||
                           kind == POPT_ARG_DOUBLE);
}

values *values_create(const struct poptOption *table) {
    values *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->given = table;
    while (table[v->count].longName || table[v->count].shortName || table[v->count].arg)
        v->count++;
    v->table = calloc((size_t)v->count + 1, sizeof *v->table);
    v->filled = calloc((size_t)v->count + 1, sizeof *v->filled);
    if (!v->table || !v->filled) {
        values_destroy(v);
        return NULL;
    }
    for (int i = 0; i < v->count; i++) {
        v->table[i] = table[i];
        if (has_value(&table[i])) {
            v->table[i].argInfo = POPT_ARG_STRING;
            v->table[i].arg = NULL;
            v->table[i].val = FIRST + i;
        }
    }
    return v;
}

struct poptOption *values_table(values *v) {
    return v->table;
}

bool values_mine(const values *v, int val) { return val >= FIRST && val < FIRST + v->count; }

static int take_text(values *v, int i, const char *argument) {
    char **place = v->given[i].arg, *copy = strdup(argument);
    if (!copy)
        return cli_error("out of memory");
    if (v->filled[i])
        free(*place);
    v->filled[i] = true;
    *place = copy;
    return -1;
}

static bool take_whole(const struct poptOption *option, const char *argument) {
    const bool narrow = (option->argInfo & POPT_ARG_MASK) == POPT_ARG_INT;
    char *end = NULL;
    errno = 0;
    const long long number = strtoll(argument, &end, 10);
    if (end == argument || *end != '\0' || errno != 0 || (narrow && (number < INT_MIN || number > INT_MAX)))
        return false;
    if (narrow)
        *(int *)option->arg = (int)number;
    else
        *(long long *)option->arg = number;
    return true;
}

static bool take_real(const struct poptOption *option, const char *argument) {
    char *end = NULL;
    const double number = strtod(argument, &end);
    if (end == argument || *end != '\0' || !isfinite(number))
        return false;
    *(double *)option->arg = number;
    return true;
}

int values_take(values *v, const char *verb, int val, const char *argument) {
    const struct poptOption *option = &v->given[val - FIRST];
    const unsigned kind = option->argInfo & POPT_ARG_MASK;

    if (kind == POPT_ARG_STRING)
        return take_text(v, val - FIRST, argument);
    if (kind == POPT_ARG_DOUBLE)
        return take_real(option, argument)
                   ? -1
                   : cli_usage(verb, "--%s \"%s\": must be a finite number", option->longName, argument);
    return take_whole(option, argument)
               ? -1
               : cli_usage(verb, "--%s \"%s\": must be a whole number%s", option->longName, argument,
                           kind == POPT_ARG_INT ? " of 32 bits" : " of 64 bits");
}

void values_destroy(values *v) {
    if (!v)
        return;
    free(v->table);
    free(v->filled);
    free(v);
}
