/** What the golden tests share: fixtures as JSON, arrays out of it, differences. */
#ifndef HN_GOLDEN_SUPPORT_H
#define HN_GOLDEN_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <core/json.h>
#include <hone/device.h>

/** Fails the test with the recorded message. */
#define REQUIRE(expression)                                                                                  \
    do {                                                                                                     \
        const hone_status require_status_ = (expression);                                                    \
        if (require_status_ != HONE_OK)                                                                      \
            fail_msg("%s: %s: %s", #expression, hone_status_name(require_status_), hone_message());          \
    } while (0)

/** The fixtures' folder, a slash, and a path made as by printf; one of four buffers in turn. */
const char *golden_path(const char *format, ...) HONE_PRINTF(1, 2);
/** A new reference to a fixture. */
json_t *golden_json(const char *path);
/** The member of an object, which must be there. */
const json_t *golden_member(const json_t *object, const char *key);
double golden_real(const json_t *object, const char *key);
const char *golden_string(const json_t *object, const char *key);
/** A list of numbers as a new array (hn_free). */
int32_t *golden_ids(const json_t *list, int64_t *count);
double *golden_reals(const json_t *list, int64_t *count);
bool golden_same_ids(const json_t *list, const int32_t *ids, int64_t count);

/** |found - wanted| / |wanted|. */
double golden_relative(double found, double wanted);

/** NULL, with the reason printed, when the device is not among those that can be opened. */
hone_device *golden_device(const char *name);

#endif
