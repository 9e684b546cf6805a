/**
 * Frozen weights that a device reads from the mapped file itself: nothing is copied, pages come in as they are first
 * used, and several processes share them. The file must not shrink meanwhile (it is replaced by renaming, which leaves
 * the mapped one whole).
 */
#ifndef HN_MODEL_MAPPED_H
#define HN_MODEL_MAPPED_H

#include <model/parameters.h>
#include <model/safetensors.h>

typedef struct hn_mapped {
    hone_device *device;
    uint64_t *buffer; /**< one for each map */
    size_t count;
} hn_mapped;

/** Gives the declared parameters whose dtype, shape and alignment in `file` suit their place there; the others stay to
 *  be allocated. Nothing on a device that can't read the host's memory. The file outlives `mapped`. */
HONE_MUST_USE hone_status hn_mapped_place(hn_mapped *mapped, hone_device *device, const hn_safetensors *file,
                                          hn_parameters *parameters);
void hn_mapped_clear(hn_mapped *mapped);

#endif
