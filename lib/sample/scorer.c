#include <core/memory.h>
#include <core/status.h>
#include <sample/scorer.h>

struct hn_scorer {
    hn_network *network;
    float *edges;
};

hone_status hn_scorer_create(hone_model *model, hone_adapter *adapter, int64_t pack_tokens, hn_scorer **out) {
    const hn_network_budget budget = hn_network_budget_for(pack_tokens);
    hn_scorer *scorer = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&scorer, 1, sizeof *scorer, "scorer"));
    HN_GO(hn_network_create(model, adapter, false, 0, &budget, &scorer->network));
    HN_GO(hn_alloc(&scorer->edges, (size_t)budget.edges, sizeof *scorer->edges, "edges"));
    *out = scorer;
    scorer = NULL;
done:
    hn_scorer_destroy(scorer);
    return status;
}

void hn_scorer_destroy(hn_scorer *scorer) {
    if (scorer == NULL)
        return;
    hn_network_destroy(scorer->network);
    hn_free(scorer->edges);
    hn_free(scorer);
}

hone_status hn_scorer_run(hn_scorer *scorer, const hone_pack *pack, double *sum) {
    HN_TRY(hn_network_forward(scorer->network, pack, 0, scorer->edges));
    hone_pack_sums(pack, scorer->edges, sum);
    return HONE_OK;
}
