#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <dispatch/device.h>
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef HONE_MODULE_PATH
#define HONE_MODULE_PATH "/usr/local/lib/hone"
#endif
#ifndef HONE_LIBDIR
#define HONE_LIBDIR "lib"
#endif

/** The search happens once per process: a backend is never unloaded, so its entry never changes. */
static struct {
    pthread_once_t once;
    hn_module *item;
    size_t count, capacity;
    char **folder; /**< those that were searched, as realpath gives them */
    size_t folders, folder_capacity;
    hone_status status;
} found = {.once = PTHREAD_ONCE_INIT};

/** The recorded message as the reason; the entry stays even when nothing else is known. */
static hone_status add(const char *name, const char *path, const hone_backend *backend, const char *reason) {
    HN_TRY(hn_reserve(&found.item, &found.capacity, found.count + 1, sizeof *found.item, "modules"));
    hn_module *module = &found.item[found.count];
    memset(module, 0, sizeof *module);
    module->backend = backend;
    HN_TRY(hn_strdup(&module->name, name));
    HN_TRY(hn_strdup(&module->path, path));
    if (reason != NULL)
        HN_TRY(hn_strdup(&module->reason, reason));
    found.count++;
    return HONE_OK;
}

static bool known(const char *name) {
    for (size_t i = 0; i < found.count; i++)
        if (found.item[i].reason == NULL && strcmp(found.item[i].name, name) == 0)
            return true;
    return false;
}

/** "hone-NAME.so" gives NAME. */
static bool module_name(const char *file, char name[32]) {
    const size_t length = strlen(file);
    if (length < 9 || length - 8 >= 32 || strncmp(file, "hone-", 5) != 0 ||
        strcmp(file + length - 3, ".so") != 0)
        return false;
    memcpy(name, file + 5, length - 8);
    name[length - 8] = '\0';
    return true;
}

static hone_status try_file(const char *folder, const char *file) {
    char name[sizeof((hone_backend_manifest *)0)->name], *path = NULL;
    const hone_backend *backend = NULL;
    hone_status status = HONE_OK;

    if (!module_name(file, name))
        return HONE_OK;
    HN_GO(hn_path_join(folder, file, &path));
    if (known(name))
        status = add(name, path, NULL, "another backend of this name comes first");
    else if (hn_module_load(path, name, &backend) == HONE_OK)
        status = add(name, path, backend, NULL);
    else
        status = add(name, path, NULL, hone_message());
done:
    hn_free(path);
    return status;
}

/** Notes that the folder is being searched; *again when that has been done under this or another name. */
static hone_status begin_folder(const char *folder, bool *again) {
    char *real = realpath(folder, NULL);
    hone_status status = HONE_OK;

    *again = real == NULL;
    for (size_t i = 0; i < found.folders && !*again; i++)
        *again = strcmp(found.folder[i], real) == 0;
    if (!*again) {
        HN_GO(hn_reserve(&found.folder, &found.folder_capacity, found.folders + 1, sizeof *found.folder,
                         "module folders"));
        HN_GO(hn_strdup(&found.folder[found.folders], real));
        found.folders++;
    }
done:
    free(real);
    return status;
}

static hone_status try_folder(const char *folder) {
    char **names = NULL;
    size_t count = 0;
    bool again = false;
    hone_status status = HONE_OK;

    HN_TRY(begin_folder(folder, &again));
    if (again || !hn_folder_exists(folder) || hn_folder_list(folder, &names, &count) != HONE_OK)
        return HONE_OK;
    for (size_t i = 0; i < count; i++)
        HN_GO(try_file(folder, names[i]));
done:
    hn_names_free(names, count);
    return status;
}

/** The folder of a file, `levels` up, followed by `rest`. */
static hone_status try_beside(const char *file, int levels, const char *rest) {
    char path[PATH_MAX], *real = realpath(file, NULL);
    hone_status status = HONE_OK;

    if (real == NULL)
        return HONE_OK;
    for (int i = 0; i < levels; i++) {
        char *slash = strrchr(real, '/');
        if (slash != NULL)
            *slash = '\0';
    }
    if (strlen(real) + strlen(rest) + 2 < sizeof path) {
        (void)strcpy(path, real);
        (void)strcat(path, "/");
        (void)strcat(path, rest);
        status = try_folder(path);
    }
    free(real);
    return status;
}

static hone_status try_environment(void) {
    const char *list = secure_getenv("HONE_BACKEND_PATH");
    char *copy = NULL, *rest = NULL;
    hone_status status = HONE_OK;

    if (list == NULL)
        return HONE_OK;
    HN_GO(hn_strdup(&copy, list));
    for (char *folder = strtok_r(copy, ":", &rest); folder != NULL; folder = strtok_r(NULL, ":", &rest))
        if (folder[0] == '/')
            HN_GO(try_folder(folder));
        else /* what the current directory holds must not run */
            HN_GO(add("-", folder, NULL, "HONE_BACKEND_PATH: a relative folder is not searched"));
done:
    hn_free(copy);
    return status;
}

static hone_status search(void) {
    Dl_info library;

    for (size_t i = 0; hone_builtin_manifests[i] != NULL; i++) {
        const hone_backend_manifest *manifest = hone_builtin_manifests[i];
        const hone_status status = hn_manifest_check(manifest, manifest->name);
        HN_TRY(add(manifest->name, "built in", manifest->backend, status == HONE_OK ? NULL : hone_message()));
    }
    HN_TRY(try_environment());
    if (dladdr(&found, &library) != 0 && library.dli_fname != NULL)
        HN_TRY(try_beside(library.dli_fname, 1, "hone"));
    HN_TRY(try_beside("/proc/self/exe", 2, HONE_LIBDIR "/hone"));
    return try_folder(HONE_MODULE_PATH);
}

static void search_once(void) { found.status = search(); }

hone_status hn_modules(const hn_module **modules, size_t *count) {
    (void)pthread_once(&found.once, search_once);
    *modules = found.item;
    *count = found.count;
    if (found.status != HONE_OK)
        return hn_fail(found.status, "the search for backends failed: out of memory");
    return HONE_OK;
}
