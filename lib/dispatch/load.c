#include <core/file.h>
#include <core/status.h>
#include <dispatch/device.h>
#include <dlfcn.h>
#include <elf.h>
#include <string.h>
#include <sys/stat.h>

hone_status hn_manifest_check(const hone_backend_manifest *manifest, const char *name) {
    if (manifest->magic != HONE_BACKEND_MAGIC)
        return hn_fail(HONE_ERROR_DEVICE, "its manifest has no magic number: not a backend of hone");
    if (manifest->abi != HONE_BACKEND_ABI)
        return hn_fail(HONE_ERROR_DEVICE, "it was built for backend ABI %u, this hone has %u: rebuild it",
                       manifest->abi, HONE_BACKEND_ABI);
    if (manifest->size != sizeof *manifest)
        return hn_fail(HONE_ERROR_DEVICE, "its manifest has %u bytes, %zu are expected", manifest->size,
                       sizeof *manifest);
    if (memchr(manifest->name, '\0', sizeof manifest->name) == NULL || strcmp(manifest->name, name) != 0)
        return hn_fail(HONE_ERROR_DEVICE, "its manifest calls it \"%.31s\", its file \"%s\"", manifest->name,
                       name);
    if (manifest->backend == NULL)
        return hn_fail(HONE_ERROR_DEVICE, "its manifest names no table of functions");
    if (manifest->backend->abi != HONE_BACKEND_ABI || manifest->backend->size != sizeof(hone_backend))
        return hn_fail(
            HONE_ERROR_DEVICE, "its table of functions has ABI %u and %u bytes, expected are %u and %zu",
            manifest->backend->abi, manifest->backend->size, HONE_BACKEND_ABI, sizeof(hone_backend));
    return HONE_OK;
}

static hone_status cut(const hn_map *map, const char *what, uint64_t end) {
    return hn_fail(HONE_ERROR_FORMAT, "the file is cut: its %s should end at byte %llu, it has %zu", what,
                   (unsigned long long)end, map->size);
}

/** The loader maps segments without looking at the file's length: touching a page beyond it raises SIGBUS. */
static hone_status check_segments(const hn_map *map, const Elf64_Ehdr *header) {
    Elf64_Phdr segment;
    const uint64_t table = (uint64_t)header->e_phnum * sizeof segment;

    if (header->e_phentsize != sizeof segment || header->e_phnum == 0)
        return hn_fail(HONE_ERROR_FORMAT, "it has no program headers: not a loadable object");
    if (header->e_phoff > map->size || table > map->size - header->e_phoff)
        return cut(map, "program header table", header->e_phoff + table);
    for (size_t i = 0; i < header->e_phnum; i++) {
        memcpy(&segment, map->data + header->e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD &&
            (segment.p_offset > map->size || segment.p_filesz > map->size - segment.p_offset))
            return cut(map, "segment", segment.p_offset + segment.p_filesz);
    }
    return HONE_OK;
}

/** A truncated shared object raises SIGBUS inside dlopen: its section table, which lies at the end, must be there,
 *  and so must all that is loaded (a stripped file may have no section table). */
static hone_status check_elf(const hn_map *map) {
    Elf64_Ehdr header;

    if (map->size < sizeof header)
        return hn_fail(HONE_ERROR_FORMAT, "%zu bytes are too few for a shared object", map->size);
    memcpy(&header, map->data, sizeof header);
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_type != ET_DYN)
        return hn_fail(HONE_ERROR_FORMAT, "not a 64-bit shared object");
    const uint64_t table = (uint64_t)header.e_shentsize * header.e_shnum;
    if (header.e_shoff > map->size || table > map->size - header.e_shoff)
        return cut(map, "section table", header.e_shoff + table);
    return check_segments(map, &header);
}

static hone_status check_file(const char *path) {
    struct stat facts;
    hn_map map = {0};

    if (stat(path, &facts) != 0 || !S_ISREG(facts.st_mode))
        return hn_fail(HONE_ERROR_IO, "not a regular file");
    HN_TRY(hn_map_open(path, &map));
    const hone_status status = check_elf(&map);
    hn_map_close(&map);
    return status;
}

/** Never unloaded: its code may still be on some thread's stack, and its handles in some device. */
hone_status hn_module_load(const char *path, const char *name, const hone_backend **backend) {
    *backend = NULL;
    HN_TRY(check_file(path));
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return hn_fail(HONE_ERROR_DEVICE, "%s", dlerror());
    const hone_backend_manifest *manifest = dlsym(library, "hone_backend_manifest_1");
    if (manifest == NULL)
        return hn_fail(HONE_ERROR_DEVICE, "it has no manifest (symbol hone_backend_manifest_1)");
    HN_TRY(hn_manifest_check(manifest, name));
    *backend = manifest->backend;
    return HONE_OK;
}
