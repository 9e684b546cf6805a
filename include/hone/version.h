/** The library's version, as a number in the header and as what is linked. */
#ifndef HONE_VERSION_H
#define HONE_VERSION_H

#include <hone/export.h>

HONE_BEGIN

#define HONE_VERSION_MAJOR 0
#define HONE_VERSION_MINOR 1
#define HONE_VERSION_PATCH 0
#define HONE_VERSION "0.1.0"

/** The version of the library that runs, "0.1.0". */
HONE_API const char *hone_version(void);

HONE_END

#endif
