#include "policies.h"

#include "cli.h"

#include <stdlib.h>
#include <string.h>

char *policies_name(const char *path) {
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    return strndup(path + begin, end - begin);
}

/** The name before '=', or the last component of the path, which *path is set to. */
static char *split(const char *argument, const char **path, int *named) {
    const char *equals = strchr(argument, '=');
    *named = equals != NULL;
    *path = equals != NULL ? equals + 1 : argument;
    return equals != NULL ? strndup(argument, (size_t)(equals - argument)) : policies_name(argument);
}

/** Takes the name. */
static int add(policies *list, char *name, const char *model, const char *adapter) {
    hone_eval_policy *grown = realloc(list->policy, (list->count + 1) * sizeof *grown);

    if (grown == NULL) {
        free(name);
        return cli_error("out of memory");
    }
    list->policy = grown;
    grown[list->count++] = (hone_eval_policy){
        .name = name, .model = strdup(model), .adapter = adapter != NULL ? strdup(adapter) : NULL};
    return 0;
}

/** The model that was given last turned out to be meant by itself. */
static int settle(policies *list) {
    if (!list->pending)
        return 0;
    list->pending = 0;
    return add(list, policies_name(list->model), list->model, NULL);
}

int policies_model(policies *list, const char *argument) {
    const char *path = NULL;
    int named = 0, code = settle(list);
    char *name = split(argument, &path, &named);

    free(list->model);
    list->model = strdup(path);
    list->pending = !named;
    if (code == 0 && named)
        return add(list, name, path, NULL);
    free(name);
    return code;
}

int policies_adapter(policies *list, const char *argument) {
    const char *path = NULL;
    int named = 0;

    if (list->model == NULL)
        return cli_usage("eval", "--adapter %s: give the --model that it belongs to before it", argument);
    list->pending = 0;
    char *name = split(argument, &path, &named);
    return add(list, name, list->model, path);
}

int policies_end(policies *list) { return settle(list); }

void policies_clear(policies *list) {
    for (size_t i = 0; i < list->count; i++) {
        free((void *)list->policy[i].name);
        free((void *)list->policy[i].model);
        free((void *)list->policy[i].adapter);
    }
    free(list->policy);
    free(list->model);
}
