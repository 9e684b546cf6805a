/** What the system says of this process's memory. */
#ifndef HN_CORE_PROCESS_H
#define HN_CORE_PROCESS_H

#include <stdint.h>

/** The resident set now, in bytes; 0 where the system does not say. */
uint64_t hn_resident_bytes(void);
/** What this process could still take without pushing anything out: the system's estimate, or what its control group
 *  leaves, whichever is less. 0 where the system does not say. */
uint64_t hn_available_bytes(void);

#endif
