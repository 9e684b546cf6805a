/* The logistic loss that DPO, RPO and SimPO share. */
#include "loss/method.h"

#include <math.h>

double hn_nlog_sigmoid(double x) { return x > 0.0 ? log1p(exp(-x)) : log1p(exp(x)) - x; }

double hn_nlog_sigmoid_slope(double x) {
    return x > 0.0 ? -exp(-x) / (1.0 + exp(-x)) : -1.0 / (1.0 + exp(x));
}

double hn_soft_logistic(double x, double shift, double q, double *slope) {
    *slope = q * hn_nlog_sigmoid_slope(x - shift) - (1.0 - q) * hn_nlog_sigmoid_slope(-x - shift);
    return q * hn_nlog_sigmoid(x - shift) + (1.0 - q) * hn_nlog_sigmoid(-x - shift);
}
