/** Log-probabilities of sequences by a model, packed. */
#ifndef HN_SAMPLE_SCORER_H
#define HN_SAMPLE_SCORER_H

#include <model/network.h>

typedef struct hn_scorer hn_scorer;
HONE_MUST_USE hone_status hn_scorer_create(hone_model *model, hone_adapter *adapter, int64_t pack_tokens,
                                           hn_scorer **scorer);
void hn_scorer_destroy(hn_scorer *scorer);
/** sum[s] of each sequence, in one pack. */
HONE_MUST_USE hone_status hn_scorer_run(hn_scorer *scorer, const hone_pack *pack, double *sum);

#endif
