/* Between edges, which the network knows, and sequences, which the losses know. */
#include <hone/pack.h>

void hone_pack_sums(const hone_pack *pack, const float *edge_logp, double *sum) {
    for (int64_t s = 0; s < pack->sequences; s++) {
        double total = 0.0;
        for (int64_t i = pack->sequence_begin[s]; i < pack->sequence_begin[s + 1]; i++)
            total += (double)edge_logp[pack->sequence_edge[i]];
        sum[s] = total;
    }
}

/* Many sequences may share an edge, so the sum is kept in float where it is wanted in the end; there are at
 * most a few terms an edge, added in the order of the sequences. */
void hone_pack_weights(const hone_pack *pack, const double *derivative, float *edge_weight) {
    for (int64_t e = 0; e < pack->edges; e++)
        edge_weight[e] = 0.0F;
    for (int64_t s = 0; s < pack->sequences; s++)
        for (int64_t i = pack->sequence_begin[s]; i < pack->sequence_begin[s + 1]; i++) {
            float *weight = &edge_weight[pack->sequence_edge[i]];
            *weight = (float)((double)*weight + derivative[s]);
        }
}
