/* Supervised fine-tuning: L = -log pi(w|x), the row's sum; the batch divides by all its tokens. */
#include "loss/method.h"

void hn_loss_sft(const hone_loss_options *options, const hn_ratios *pair, hone_loss_value *value) {
    (void)options;
    value->loss = -pair->policy[HONE_W];
    value->derivative[HONE_W] = -1.0;
}
