#include <core/memory.h>
#include <core/status.h>
#include <dispatch/device.h>
#include <string.h>

typedef struct listing {
    hone_device_entry *item;
    size_t count, capacity;
} listing;

/** A new entry with the given texts; NULL stays NULL. */
static hone_status add(listing *list, const char *name, const char *path, const char *detail,
                       const char *reason) {
    HN_TRY(hn_reserve(&list->item, &list->capacity, list->count + 1, sizeof *list->item, "device list"));
    hone_device_entry *entry = &list->item[list->count++];
    memset(entry, 0, sizeof *entry);
    HN_TRY(hn_strdup(&entry->name, name));
    HN_TRY(hn_strdup(&entry->path, path));
    if (detail != NULL)
        HN_TRY(hn_strdup(&entry->detail, detail));
    return reason != NULL ? hn_strdup(&entry->reason, reason) : HONE_OK;
}

/** Opens the device for a moment, to ask what it is. */
static hone_status add_device(listing *list, const hn_module *module, int index) {
    hone_device *device = NULL;
    char *name = NULL, *detail = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_format(&name, "%s:%d", module->name, index));
    if (hone_device_open(name, NULL, &device) != HONE_OK) {
        status = add(list, name, module->path, NULL, hone_message());
        goto done;
    }
    HN_GO(hn_format(&detail, "%s; %s", device->properties.name, device->properties.detail));
    HN_GO(add(list, name, module->path, detail, NULL));
    HN_GO(hn_strdup(&list->item[list->count - 1].choices, device->properties.choices));
    list->item[list->count - 1].memory_bytes = device->properties.memory_bytes;
    list->item[list->count - 1].units = device->properties.units;
done:
    hone_device_close(device);
    hn_free(detail);
    hn_free(name);
    return status;
}

/** A device structure with nothing but host services: what `count` needs. */
static hone_status count_devices(const hn_module *module, int *count) {
    hone_device probe = {.backend = module->backend};
    hone_status status = HONE_OK;

    *count = 0;
    HN_TRY(hn_pool_create(1, &probe.pool));
    hn_host_fill(&probe);
    status = module->backend->count(&probe.host, count);
    hn_pool_destroy(probe.pool);
    return status;
}

static hone_status add_module(listing *list, const hn_module *module) {
    int count = 0;

    if (module->reason != NULL)
        return add(list, module->name, module->path, NULL, module->reason);
    if (count_devices(module, &count) != HONE_OK)
        return add(list, module->name, module->path, NULL, hone_message());
    if (count == 0)
        return add(list, module->name, module->path, NULL, "no device");
    for (int i = 0; i < count; i++)
        HN_TRY(add_device(list, module, i));
    return HONE_OK;
}

hone_status hone_devices_list(hone_device_entry **entries, size_t *count) {
    const hn_module *modules = NULL;
    size_t modules_count = 0;
    listing list = {0};
    hone_status status = HONE_OK;

    *entries = NULL;
    *count = 0;
    HN_GO(hn_modules(&modules, &modules_count));
    for (size_t i = 0; i < modules_count; i++)
        HN_GO(add_module(&list, &modules[i]));
    *entries = list.item;
    *count = list.count;
    return HONE_OK;
done:
    hone_devices_free(list.item, list.count);
    return status;
}

void hone_devices_free(hone_device_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++) {
        hn_free(entries[i].name);
        hn_free(entries[i].path);
        hn_free(entries[i].detail);
        hn_free(entries[i].choices);
        hn_free(entries[i].reason);
    }
    hn_free(entries);
}
