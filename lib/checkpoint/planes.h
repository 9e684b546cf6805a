/** The bytes of floats, split in planes: byte k of every element together. Exponents of trained weights are
 * alike and compress, mantissas are noise and do not: apart, each is stored at its own rate. */
#ifndef HN_CHECKPOINT_PLANES_H
#define HN_CHECKPOINT_PLANES_H

#include <stddef.h>

/** `bytes` may have a tail shorter than an element, which is kept as it is at the end. */
void hn_planes_split(const unsigned char *data, unsigned char *planes, size_t bytes, size_t element);
void hn_planes_join(const unsigned char *planes, unsigned char *data, size_t bytes, size_t element);

#endif
