/** How the rows of a data set pack: what the token trie saves. */
#ifndef HONE_INSPECT_H
#define HONE_INSPECT_H

#include <hone/export.h>
#include <hone/loss.h>
#include <hone/status.h>
#include <stdint.h>

HONE_BEGIN

typedef struct hone_packing {
    int64_t rows, sequences;
    int64_t packed;   /**< tokens of one trie a row */
    int64_t separate; /**< tokens of its sequences one by one */
    int64_t padded;   /**< the same, padded to the row's longest */
    int64_t longest;  /**< the largest trie of a row */
    int64_t over;     /**< rows whose trie is larger than the budget */
    int64_t cut;      /**< rows whose prompt loses its start to the model's longest sequence */
    int64_t dropped;  /**< rows whose answers alone are longer than that: left out of all of the above */
    int64_t useless;  /**< rows that training refuses, with an empty or two equal answers: left out as well */
} hone_packing;

/** Tokenises the rows with the model folder's tokenizer and the template, and measures the sequences that the method
 *  reads of each. */
HONE_API HONE_MUST_USE hone_status hone_packing_measure(const char *model, const char *form, const char *data,
                                                        const hone_loss_options *loss, hone_packing *packing);

/** The same, counting the rows that `--pack-tokens budget` would refuse (0: none is counted), and those that nothing
 *  can be learnt from, which hone_packing_measure refuses as training does. */
HONE_API HONE_MUST_USE hone_status hone_packing_measure_within(const char *model, const char *form,
                                                               const char *data,
                                                               const hone_loss_options *loss, int64_t budget,
                                                               hone_packing *packing);

HONE_END

#endif
