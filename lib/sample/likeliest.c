#include <hone/sample.h>

int64_t hone_answer_likeliest(const hone_answer *answer) {
    int64_t best = 0;
    for (int64_t i = 1; i < answer->drafts; i++)
        best = answer->draft[i].logp >= answer->draft[best].logp ? i : best;
    return best;
}
