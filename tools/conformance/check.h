/** One case on one device: is what came back right, and only that changed? */
#ifndef CF_CHECK_H
#define CF_CHECK_H

#include "execute.h"

typedef struct cf_verdict {
    bool passed;
    double ratio;      /**< largest |got - want| / bound */
    char problem[512]; /**< of a failed case, for people */
} cf_verdict;

/** `one` and `many` are the same device with one host thread and with several: both must give the same bits, and
 *  `one` must give them again. */
void cf_check(const cf_case *it, const cf_layout *layout, cf_device *one, cf_device *many,
              cf_verdict *verdict);

/** "x f32[17,33] stride 36 offset 128, ..." */
void cf_describe(const cf_case *it, const cf_layout *layout, char *text, size_t size);

#endif
